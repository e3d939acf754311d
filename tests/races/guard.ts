import { randomBytes } from "node:crypto";
import { type Answer, need } from "../support/requests/answers.ts";
import { signUp, verifyEmail } from "../support/requests/people.ts";
import type { TestServer } from "../support/servers/server.ts";
import type { TwoNodes } from "../support/servers/two-nodes.ts";

const PATH = "/api/account/login-methods";

export type Raced = { rounds: number; disconnected: number; refused: number; problems: string[] };

/**
 * This many times, an account has two login methods that work, and both are disconnected at once, each
 * through both nodes. One of the four attempts may succeed; the other method must be left, and work.
 */
export async function raceForTheLast({ server, browser }: TwoNodes, rounds: number): Promise<Raced> {
  const person = await signUp(server);
  await verifyEmail(server, person);
  const raced: Raced = { rounds: 0, disconnected: 0, refused: 0, problems: [] };
  for (let round = 0; round < rounds; round++) {
    const pair = await giveTwo(server, person.account.id, round);
    const answers = await Promise.all(
      pair.flatMap((method) =>
        [0, 1].map((node) => {
          const client = browser(node);
          client.token = person.client.token;
          return client.delete(`${PATH}/${method}`);
        }),
      ),
    );
    const left = need(await person.client.get(PATH), "methods");
    raced.rounds += 1;
    raced.disconnected += answers.filter(({ status }) => status === 204).length;
    raced.refused += answers.filter(isTheGuard).length;
    raced.problems.push(...whatIsWrong(answers, left.length).map((what) => `round ${round}: ${what}`));
  }
  return raced;
}

function whatIsWrong(answers: Answer[], left: number): string[] {
  const done = answers.filter(({ status }) => status === 204).length;
  const odd = answers.filter(
    (answer) => answer.status !== 204 && answer.status !== 404 && !isTheGuard(answer),
  );
  return [
    ...(done === 1 ? [] : [`${done} were disconnected`]),
    ...(left === 1 ? [] : [`${left} methods were left`]),
    ...odd.map(({ status, text }) => `an answer was ${status} ${text}`),
  ];
}

const isTheGuard = ({ status, body }: Answer) => status === 409 && body.code === "last_login_method";

type Kind = "password" | "passkey" | "site";

/** Which two methods an account has, in turn: each pair of kinds, and two of one kind. */
const PAIRS: [Kind, Kind][] = [
  ["password", "passkey"],
  ["passkey", "passkey"],
  ["password", "site"],
  ["passkey", "site"],
  ["site", "site"],
];

const SITE = "http://localhost:9/site";

/** The nodes' settings: a site that nobody needs to reach. */
export const oidc = [{ id: "site", issuer: SITE, clientId: "latchkey", clientSecret: "none" }];

/** Two methods that work, written directly to the database: the API would take a hundred times as long. */
async function giveTwo(server: TestServer, account_id: string, round: number): Promise<[string, string]> {
  const [first, second] = PAIRS[round % PAIRS.length] ?? ["password", "passkey"];
  const idOf = (kind: Kind, one: number) =>
    kind === "password" ? kind : `${kind}${round}x${one}${randomBytes(6).toString("hex")}`;
  const ids: [string, string] = [idOf(first, 0), idOf(second, 1)];
  const made = { account_id, created_at: round, last_used_at: null };
  await server.latchkey.parts.database.write(async ({ query }) => {
    for (const table of ["passkey", "oidc_identity"] as const)
      await query.deleteFrom(table).where("account_id", "=", account_id).execute();
    const hash = first === "password" ? "$argon2id$none" : null;
    const password = { password_hash: hash, password_set_at: 1 };
    await query.updateTable("account").set(password).where("id", "=", account_id).execute();
    for (const [at, kind] of [first, second].entries()) {
      const id = ids[at] ?? "";
      const key = {
        credential_id: id,
        public_key: randomBytes(8),
        counter: 0,
        transports: "[]",
        name: "Key",
      };
      const site = { provider: "site", issuer: SITE, subject: id };
      if (kind === "passkey")
        await query
          .insertInto("passkey")
          .values({ id, ...made, ...key })
          .execute();
      if (kind === "site")
        await query
          .insertInto("oidc_identity")
          .values({ id, ...made, ...site })
          .execute();
    }
  });
  return ids;
}
