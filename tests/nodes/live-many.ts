import { postgresAt } from "../support/databases/engines.ts";
import { startPostgres } from "../support/databases/postgres.ts";
import { expectStatus, PASSWORD, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startNodes } from "../support/servers/two-nodes.ts";

/**
 * `npm run check:live`: how long after the answer to an ending the ended session's open page on another
 * node has closed, over 100 rounds or as many as are asked for, each node in a process of its own.
 */
const rounds = Number(process.argv[2] ?? 100);
const AT_MOST = 250; // ms, at the median

const postgres = await startPostgres();
const nodes = await startNodes(postgresAt(postgres.url), 3);
const person = await signUp(nodes.server);
const ending = nodes.browser(1);
ending.token = person.client.token;
const times: number[] = [];
for (let round = 0; round < rounds; round++) {
  const other = nodes.browser(2, UA.firefoxWindows);
  const signedIn = expectStatus(
    201,
    await other.post("/api/session", { email: person.email, password: PASSWORD }),
  );
  const live = await other.live();
  expectStatus(204, await ending.delete(`/api/sessions/${signedIn.body.session?.id}`));
  const answered = performance.now();
  await live.nextOf("signed-out");
  await live.closed();
  times.push(performance.now() - answered);
}
await nodes.stop();
await postgres.stop();

times.sort((one, other) => one - other);
const at = (share: number) => times[Math.min(rounds - 1, Math.floor(rounds * share))] ?? Number.NaN;
console.log(
  `An open page on another node closed ${at(0.5).toFixed(1)} ms after the answer at the median, ${at(0.99).toFixed(1)} ms at the 99th percentile (${rounds} rounds; at most ${AT_MOST} ms at the median).`,
);
process.exit(at(0.5) <= AT_MOST ? 0 : 1);
