import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, signInOptions } from "../support/login-methods/passkeys.ts";
import { need } from "../support/requests/answers.ts";
import { isSignedIn, signUp, verifyEmail } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { together } from "../support/servers/together.ts";
import { twoNodesFor } from "../support/servers/two-nodes.ts";

const ROUNDS = 4;

describeOnEachEngine("A passkey that is disconnected while someone signs in with it", (engine) => {
  const nodes = twoNodesFor(engine);

  async function withPasskey() {
    const { server } = nodes();
    const owner = await signUp(server);
    await verifyEmail(server, owner);
    const key = await addPasskey(server, owner.client);
    const methods = need(await owner.client.get("/api/account/login-methods"), "methods");
    const path = `/api/account/login-methods/${methods.find(({ kind }) => kind === "passkey")?.id}`;
    return { owner, key, path };
  }

  test("leaves no session live, on whichever node", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { owner, key, path } = await withPasskey();
      const thief = nodes().browser(round, UA.firefoxWindows);
      const passkey = key.get(await signInOptions(thief));
      const ending = nodes().browser(round + 1);
      ending.token = owner.client.token;
      const [signedIn, ended] = await together([thief, ending], (client) =>
        client === thief ? client.post("/api/session/passkey", { passkey }) : client.delete(path),
      );
      expect([201, 401]).toContain(signedIn?.status);
      expect(ended?.status).toBe(204);
      expect(await isSignedIn(thief)).toBe(false);
    }
  });

  test.each([1, 2, 3])(
    "leaves none if it is removed after transaction %i of the sign-in and its email",
    async (last) => {
      const { owner, key, path } = await withPasskey();
      const thief = nodes().server.client(UA.firefoxWindows);
      const passkey = key.get(await signInOptions(thief));
      const { database, mailer } = nodes().server.latchkey.parts;
      await mailer.settled();
      const { write } = database;
      let writes = 0;
      Object.assign(database, {
        async write(work: Parameters<typeof write>[0]) {
          const done = await write(work);
          writes += 1;
          if (writes !== last) return done;
          Object.assign(database, { write });
          expect((await owner.client.delete(path)).status).toBe(204);
          return done;
        },
      });
      await thief.post("/api/session/passkey", { passkey });
      await mailer.settled();
      expect(writes).toBe(last);
      Object.assign(database, { write });
      expect(await isSignedIn(thief)).toBe(false);
    },
  );
});
