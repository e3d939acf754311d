import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import type { Client } from "../support/requests/client.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import {
  expectStatus,
  PASSWORD,
  signIn,
  signInWithCode,
  signUp,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer } from "../support/servers/server.ts";

const A_PAGE = { "Sec-Fetch-Mode": "navigate" };

const expectTurnedAway = async (client: Client) => {
  const answer = await client.get("/verify");
  expectRefusal(answer, 401, "two_factor_needed");
  expect(Object.keys(answer.headers).filter((name) => name.startsWith("remote-"))).toEqual([]);
};
const expectLetIn = async (client: Client) => expectStatus(204, await client.get("/verify"));

describeOnEachEngine("If LATCHKEY_REQUIRE_TWO_FACTOR is on, a session", (engine) => {
  const server = serverFor(engine, { requireTwoFactor: "on" });

  test("that a password alone began opens no app until its owner has set up a second factor", async () => {
    const person = await signUp(server());
    await expectTurnedAway(person.client);
    expectStatus(200, await person.client.get("/api/sessions"));
    await turnOnTwoFactor(server(), person);
    await expectLetIn(person.client);
  });

  test("that began with both factors is let in", async () => {
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    const { client } = await signInWithCode(server(), person, secret, UA.firefoxLinux);
    await expectLetIn(client);
  });

  test("that began with a passkey is let in, since a passkey counts as both factors", async () => {
    const person = await signUp(server());
    const authenticator = await addPasskey(server(), person.client);
    await expectTurnedAway(person.client);
    const client = server().client(UA.firefoxLinux);
    expectStatus(201, await passkeySignIn(client, authenticator));
    await expectLetIn(client);
  });

  test("that is older than the second factor also has to give it once before it is let in", async () => {
    const person = await signUp(server());
    const { client } = await signIn(server(), person, UA.firefoxLinux);
    const { secret } = await turnOnTwoFactor(server(), person);
    await expectTurnedAway(client);
    const code = codeAt(secret, server().clock.now());
    expectStatus(204, await client.post("/api/session/proof", { currentPassword: PASSWORD, code }));
    await expectLetIn(client);
  });

  test("whose owner turns two-factor authentication off no longer opens any app", async () => {
    const person = await signUp(server());
    const { recoveryCodes } = await turnOnTwoFactor(server(), person);
    await expectLetIn(person.client);
    const both = { currentPassword: PASSWORD, recoveryCode: recoveryCodes[0] };
    expectStatus(204, await person.client.delete("/api/account/two-factor", both));
    await expectTurnedAway(person.client);
  });

  describe("that can't be let in yet", () => {
    test("leads a browser from the app's page to the security page, and back from there", async () => {
      const { client } = await signUp(server());
      const { port, baseUrl } = server();
      const setUp = `${baseUrl}/settings/security?next=${encodeURIComponent(`${baseUrl}/notes`)}`;
      const asked = { "X-Forwarded-Uri": "/notes", "X-Forwarded-Host": `localhost:${port}` };
      const behindProxy = await client.get("/verify", { ...A_PAGE, ...asked });
      expect([behindProxy.status, behindProxy.headers.location]).toEqual([302, setUp]);
      const behindNginx = await client.get("/verify?mode=nginx", { ...A_PAGE, ...asked });
      expect([behindNginx.status, behindNginx.headers.location]).toEqual([401, setUp]);
      const login = await client.get(`/login?next=${encodeURIComponent("/notes")}`, A_PAGE);
      expect([login.status, login.headers.location]).toEqual([302, setUp]);
    });

    test("isn't signed in for an app in code", async () => {
      const { client } = await signUp(server());
      const { latchkey, baseUrl } = server();
      const headers = new Headers({ Cookie: client.jar.header() });
      expect(await latchkey.authenticate({ method: "GET", url: "/notes", headers })).toEqual({
        reason: "two_factor_needed",
      });
      const data = await latchkey.requireSession({ method: "GET", url: "/notes", headers });
      expect(data).toMatchObject({ status: 401 });
      headers.set("Sec-Fetch-Mode", "navigate");
      const page = await latchkey.requireSession({ method: "GET", url: "/notes", headers });
      if (!(page instanceof Response)) throw new Error("It was let in.");
      expect(page.headers.get("location")).toBe(
        `${baseUrl}/settings/security?next=${encodeURIComponent(`${baseUrl}/notes`)}`,
      );
    });
  });
});

describeOnEachEngine("LATCHKEY_REQUIRE_TWO_FACTOR, turned on later", (engine) => {
  test("applies to existing sessions, and they go on once it is off again", async () => {
    const database = await engine.createDatabase();
    const secretKey = "ab".repeat(32);
    const start = (requireTwoFactor: "on" | "off") =>
      startServer({ engine, database, secretKey, requireTwoFactor });
    const first = await start("off");
    const person = await signUp(first);
    await expectLetIn(person.client);
    const { token } = person.client;
    await first.close();
    for (const [setting, expectIt] of [
      ["on", expectTurnedAway],
      ["off", expectLetIn],
    ] as const) {
      const server = await start(setting);
      const client = server.client();
      client.token = token;
      await expectIt(client);
      await server.close();
    }
    await database.drop();
  });
});
