import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import {
  expectStatus,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { twoNodesFor } from "../support/servers/two-nodes.ts";

const ROUNDS = 25;

/** A node that checks the same sessions again and again remembers them; it sees every ending all the same. */
describeOnEachEngine("A session that was just checked", (engine) => {
  const nodes = twoNodesFor(engine);

  /** Checks without a pause until it is told to stop; each check is noted with when it began. */
  function keepChecking(client: Client) {
    const checks: { began: number; status: number }[] = [];
    let goesOn = true;
    const done = (async () => {
      while (goesOn) {
        const began = performance.now();
        checks.push({ began, status: (await client.get("/verify")).status });
      }
    })();
    return {
      checks,
      async stop() {
        goesOn = false;
        await done;
      },
    };
  }

  for (const [where, node] of [
    ["the node that checks it", 0],
    ["another process", 1],
  ] as const) {
    test(`is refused by every check that begins after ${where} has answered that it ended`, async () => {
      const { server, browser } = nodes();
      const person = await signUp(server);
      const ender = browser(node);
      ender.token = person.client.token;
      for (let round = 0; round < ROUNDS; round++) {
        const { client, session } = await signIn(server, person, UA.firefoxWindows);
        expectStatus(204, await client.get("/verify"));
        const checkers = [keepChecking(client), keepChecking(client)];
        expectNoContent(await ender.delete(`/api/sessions/${session.id}`));
        const answered = performance.now();
        await client.get("/verify");
        for (const checker of checkers) await checker.stop();
        const late = checkers.flatMap(({ checks }) => checks.filter(({ began }) => began > answered));
        expect(late.filter(({ status }) => status !== 401)).toEqual([]);
      }
    });

    test(`answers with what ${where} has changed about its account`, async () => {
      const { server, browser } = nodes();
      const person = await signUp(server);
      const elsewhere = browser(node);
      elsewhere.token = person.client.token;
      const account = async () => need(await person.client.get("/api/session"), "account");
      expect(await account()).toMatchObject({ emailVerified: false, twoFactor: false });
      await verifyEmail(server, { ...person, client: elsewhere });
      expect(await account()).toMatchObject({ emailVerified: true, twoFactor: false });
      await turnOnTwoFactor(server, { ...person, client: elsewhere });
      person.client.token = elsewhere.token;
      expect(await account()).toMatchObject({ emailVerified: true, twoFactor: true });
      const old = elsewhere.token;
      const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
      expectNoContent(await elsewhere.put("/api/account/password", change));
      expect((await person.client.get("/verify")).status).toBe(401);
      person.client.token = elsewhere.token;
      expect(person.client.token).not.toBe(old);
      expect((await person.client.get("/verify")).status).toBe(204);
    });
  }
});
