import { type Engine, engineOf, postgresAt } from "../support/databases/engines.ts";
import { startPostgres } from "../support/databases/postgres.ts";
import { startTwoNodes } from "../support/servers/two-nodes.ts";
import { oidc, raceForTheLast } from "./guard.ts";

/** `npm run check:guard`: 1,000 rounds on each engine, or as many as are asked for. */
const rounds = Number(process.argv[2] ?? 1_000);

async function race(engine: Engine): Promise<string[]> {
  const began = Date.now();
  const nodes = await startTwoNodes(engine, { oidc });
  const raced = await raceForTheLast(nodes, rounds).finally(() => nodes.stop());
  console.log(
    `${engine.name}, two processes: ${raced.rounds} rounds of 4 disconnects at once, ${raced.disconnected} done, ${raced.refused} refused as the last, ${raced.problems.length} problems (${Math.round((Date.now() - began) / 1_000)} s)`,
  );
  return raced.problems;
}

const postgres = await startPostgres();
const problems = [...(await race(engineOf("sqlite"))), ...(await race(postgresAt(postgres.url)))];
await postgres.stop();
for (const problem of problems) console.log(problem);
process.exit(problems.length > 0 ? 1 : 0);
