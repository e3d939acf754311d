import { randomBytes } from "node:crypto";
import type { Answer } from "../support/answers.ts";
import { need } from "../support/answers.ts";
import { signUp, verifyEmail } from "../support/people.ts";
import type { TestServer } from "../support/server.ts";
import type { TwoNodes } from "../support/two-nodes.ts";

const PATH = "/api/account/login-methods";

export type Raced = { rounds: number; disconnected: number; refused: number; problems: string[] };

/**
 * So many times: an account has two login methods that work, and both are disconnected at once, each
 * through both nodes. One of the four may; the other method must be left, and work.
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

/** A password and a passkey, or two passkeys, by turns; written past the API, which would take a hundred times as long. */
async function giveTwo(server: TestServer, accountId: string, round: number): Promise<[string, string]> {
  const withPassword = round % 2 === 0;
  const ids = [0, 1].map((one) => `passkey${round}x${one}${randomBytes(6).toString("hex")}`);
  const [first = "", second = ""] = ids;
  await server.latchkey.parts.database.write(async ({ query }) => {
    await query.deleteFrom("passkey").where("account_id", "=", accountId).execute();
    const password = { password_hash: withPassword ? "$argon2id$none" : null, password_set_at: 1 };
    await query.updateTable("account").set(password).where("id", "=", accountId).execute();
    for (const id of withPassword ? [second] : [first, second]) {
      const row = { id, account_id: accountId, credential_id: id, public_key: randomBytes(8), counter: 0 };
      const told = { transports: "[]", name: "Key", created_at: round, last_used_at: null };
      await query
        .insertInto("passkey")
        .values({ ...row, ...told })
        .execute();
    }
  });
  return [withPassword ? "password" : first, second];
}
