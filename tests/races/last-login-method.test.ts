import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { need } from "../support/answers.ts";
import { describeOnEachEngine } from "../support/engines.ts";
import { expectRefusal } from "../support/expectations.ts";
import { signUp, verifyEmail } from "../support/people.ts";
import { twoNodesFor } from "../support/two-nodes.ts";

const ROUNDS = 25;

describeOnEachEngine("The last two login methods, disconnected at once from two processes", (engine) => {
  const nodes = twoNodesFor(engine);

  test("leave one that works, always (S15)", async () => {
    const { server, browser } = nodes();
    const person = await signUp(server);
    await verifyEmail(server, person);
    const path = "/api/account/login-methods";
    const { database } = server.latchkey.parts;
    for (let round = 0; round < ROUNDS; round++) {
      const id = `passkey${round}x${randomBytes(6).toString("hex")}`;
      await database.write(async ({ query }) => {
        const hasPassword = await query
          .selectFrom("account")
          .select("password_hash")
          .where("id", "=", person.account.id)
          .executeTakeFirst();
        if (hasPassword?.password_hash === null) {
          await query
            .updateTable("account")
            .set({ password_hash: "$argon2id$none", password_set_at: 1 })
            .where("id", "=", person.account.id)
            .execute();
        }
        await query.deleteFrom("passkey").where("account_id", "=", person.account.id).execute();
        const row = {
          id,
          account_id: person.account.id,
          credential_id: id,
          public_key: randomBytes(8),
          counter: 0,
        };
        await query
          .insertInto("passkey")
          .values({ ...row, transports: "[]", name: "Key", created_at: round, last_used_at: null })
          .execute();
      });
      const answers = await Promise.all(
        ["password", id].flatMap((method) =>
          [0, 1].map((node) => {
            const client = browser(node);
            client.token = person.client.token;
            return client.delete(`${path}/${method}`);
          }),
        ),
      );
      expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status === 409))
        expectRefusal(answer, 409, "last_login_method");
      expect(need(await person.client.get(path), "methods")).toHaveLength(1);
    }
  });
});
