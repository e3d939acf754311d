import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectRefusal, expectSignedOut } from "../support/requests/expectations.ts";
import {
  expectStatus,
  halfSignIn,
  OTHER_PASSWORD,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { type Everyone, operate, SITES, Sites, WAYS } from "./ways.ts";

describeOnEachEngine("Every way in", (engine) => {
  let server: TestServer;
  let provider: Sites;
  beforeAll(async () => {
    provider = await Sites.start();
    server = await startServer({ engine, rateLimits: "off", oidc: provider.options });
  });
  afterAll(async () => {
    await server.close();
    provider.stop();
  });

  async function someone(): Promise<Everyone> {
    const person = await signUp(server);
    await verifyEmail(server, person);
    const authenticator = await addPasskey(server, person.client);
    for (const site of SITES) await provider.connect(person.client, site, person.account.id);
    return { server, provider, person, authenticator };
  }

  async function expectSession(client: Client, { person }: Everyone, isOwn: boolean): Promise<void> {
    const account = need(expectStatus(200, await client.get("/api/session")), "account");
    expect(account.id === person.account.id).toBe(isOwn);
  }

  const finish = (client: Client, body: object) => client.post("/api/session/two-factor", body);

  describe.each(Object.entries(WAYS))("%s", (_name, way) => {
    test(`leads to ${way.without} where 2FA is off`, async () => {
      const everyone = await someone();
      const client = server.client(UA.firefoxWindows);
      await way.go(client, everyone);
      if (way.without === "nothing") expectRefusal(await client.get("/api/session"), 401, "signed_out");
      else await expectSession(client, everyone, way.without === "session");
    });

    test.each(["an app's code", "a recovery code"])(
      `leads to ${way.with} where 2FA is on, finished with %s`,
      async (factor) => {
        const everyone = await someone();
        const { secret, recoveryCodes } = await turnOnTwoFactor(server, everyone.person);
        const client = server.client(UA.firefoxWindows);
        await way.go(client, everyone);
        if (way.with === "session" || way.with === "elsewhere")
          return expectSession(client, everyone, way.with === "session");
        expectRefusal(await client.get("/api/session"), 401, "signed_out");
        const body =
          factor === "a recovery code"
            ? { recoveryCode: recoveryCodes[0] }
            : { code: codeAt(secret, server.clock.now()) };
        if (way.with === "nothing") return expectRefusal(await finish(client, body), 401, "sign_in_expired");
        expectStatus(201, await finish(client, body));
        await expectSession(client, everyone, true);
        const again = await halfSignIn(server, await withPassword(everyone), UA.firefoxLinux);
        expectRefusal(await finish(again, body), 401, "wrong_code");
      },
    );
  });

  /** The person with the account's current password. */
  async function withPassword({ person }: Everyone) {
    const { email } = person;
    const isOld = (await trySignIn(server.client(), person)).status === 202;
    return { email, password: isOld ? person.password : OTHER_PASSWORD };
  }

  test("after an operator turns 2FA off, the password alone is enough, and sign-ins that waited for a code end", async () => {
    const everyone = await someone();
    const { person } = everyone;
    const { secret } = await turnOnTwoFactor(server, person);
    const waiting = await halfSignIn(server, person, UA.firefoxLinux);
    await operate(everyone, ["accounts", "reset-two-factor", person.email]);
    const code = codeAt(secret, server.clock.now());
    expectRefusal(await finish(waiting, { code }), 401, "sign_in_expired");
    const client = server.client(UA.firefoxWindows);
    expectStatus(201, await trySignIn(client, person));
    await expectSession(client, everyone, true);
  });

  test("a suspended account is refused by every one of them, whatever was proved", async () => {
    const everyone = await someone();
    await operate(everyone, ["accounts", "suspend", everyone.person.email]);
    await expectSignedOut(everyone.person.client, "account_closed");
    for (const name of ["a password", "a provider", "a trusted provider that says mfa"] as const) {
      const client = server.client(UA.firefoxWindows);
      await WAYS[name].go(client, everyone);
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
    }
    const client = server.client(UA.firefoxWindows);
    await WAYS["a passkey whose authenticator verified its owner"].go(client, everyone);
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });

  test("2FA is asked of the very next sign-in after it is turned on, and no more once it is off", async () => {
    const { person } = await someone();
    const before = server.client(UA.firefoxWindows);
    expectStatus(201, await trySignIn(before, person));
    const { secret } = await turnOnTwoFactor(server, person);
    expectStatus(202, await trySignIn(server.client(UA.firefoxLinux), person));
    const body = { currentPassword: person.password, code: codeAt(secret, server.clock.now()) };
    expectStatus(204, await before.delete("/api/account/two-factor", body));
    expectStatus(201, await trySignIn(server.client(UA.firefoxLinux), person));
  });

  test("a code without a first factor opens nothing", async () => {
    const { person } = await someone();
    const { secret } = await turnOnTwoFactor(server, person);
    const client = server.client(UA.firefoxWindows);
    const code = codeAt(secret, server.clock.now());
    const bodies = [{ code }, { code, email: person.email }, { code, accountId: person.account.id }];
    for (const body of bodies) expectRefusal(await finish(client, body), 401, "sign_in_expired");
  });
});
