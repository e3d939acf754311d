import { expect, test } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { need } from "../support/answers.ts";
import { describeOnEachEngine } from "../support/engines.ts";
import { expectNoContent, expectRefusal } from "../support/expectations.ts";
import { addPasskey, signInOptions } from "../support/passkeys.ts";
import { signUp, verifyEmail } from "../support/people.ts";
import { serverFor } from "../support/server.ts";
import { UA } from "../support/user-agents.ts";

/** Does something once, right after the given transaction from now. */
function afterTransaction(database: Database, number: number, act: () => Promise<void>): void {
  const { write } = database;
  let done = 0;
  database.write = async (work) => {
    const result = await write(work);
    done += 1;
    if (done === number) {
      database.write = write;
      await act();
    }
    return result;
  };
}

describeOnEachEngine("A passkey that is disconnected while somebody signs in with it", (engine) => {
  const server = serverFor(engine);

  test("opens nothing, though its answer was right when it was judged", async () => {
    const person = await signUp(server());
    await verifyEmail(server(), person);
    const authenticator = await addPasskey(server(), person.client);
    const methods = need(await person.client.get("/api/account/login-methods"), "methods");
    const path = `/api/account/login-methods/${methods.find(({ kind }) => kind === "passkey")?.id}`;

    const thief = server().client(UA.firefoxWindows);
    const passkey = authenticator.get(await signInOptions(thief));
    // The attempt is counted, the challenge is taken, the counter moves; then comes the session.
    afterTransaction(server().latchkey.parts.database, 3, async () =>
      expectNoContent(await person.client.delete(path)),
    );
    expectRefusal(await thief.post("/api/session/passkey", { passkey }), 401, "wrong_passkey");
    expectRefusal(await thief.get("/api/session"), 401, "signed_out");
    expect(need(await person.client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
  });
});
