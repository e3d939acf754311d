import { afterAll, beforeAll, expect, test } from "vitest";
import { offeredChallenge } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { type Answer, header } from "../support/requests/answers.ts";
import { expectStatus, signUp, trySignIn, turnOnTwoFactor } from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

/** Passwords and sign-ups are in tests/contract/device-binding.test.ts. */
describeOnEachEngine("Binding to the device is offered by a sign-in with", (engine) => {
  let server: TestServer;
  let provider: Sites;
  beforeAll(async () => {
    provider = await Sites.start();
    server = await startServer({
      engine,
      baseUrl: "https://app.example.test",
      oidc: provider.options,
      rateLimits: "off",
    });
  });
  afterAll(async () => {
    await server.close();
    provider.stop();
  });

  function expectOffer(signedIn: Answer): void {
    expect(offeredChallenge(signedIn)).toMatch(/^[\w-]{43}$/);
  }

  test("a passkey", async () => {
    const person = await signUp(server);
    const authenticator = await addPasskey(server, person.client);
    expectOffer(expectStatus(201, await passkeySignIn(server.client(), authenticator)));
  });

  test("a second factor, and not before it", async () => {
    const person = await signUp(server);
    const { secret } = await turnOnTwoFactor(server, person);
    const client = server.client();
    const half = expectStatus(202, await trySignIn(client, person));
    expect(half.headers["secure-session-registration"]).toBeUndefined();
    const code = codeAt(secret, server.clock.now());
    expectOffer(expectStatus(201, await client.post("/api/session/two-factor", { code })));
  });

  test("another site", async () => {
    const person = await signUp(server);
    await provider.connect(person.client, "plain", person.account.id);
    const client = server.client();
    const begun = expectStatus(302, await client.get("/api/oidc/plain/start"));
    expectOffer(await provider.comeBack(client, header(begun, "location"), "plain", person.account.id));
  });
});
