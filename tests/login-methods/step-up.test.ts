import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn, signInOptions } from "../support/login-methods/passkeys.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  expectStatus,
  freshEmail,
  listOf,
  PASSWORD,
  signIn,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

const METHODS = "/api/account/login-methods";

describeOnEachEngine("A change to how an account is protected", (engine) => {
  let server: TestServer;
  let sites: Sites;
  beforeAll(async () => {
    sites = await Sites.start();
    server = await startServer({ engine, rateLimits: "off", oidc: sites.options });
  });
  afterAll(async () => {
    await server.close();
    sites.stop();
  });

  /** Someone without a password: a passkey and a site. */
  async function withoutPassword() {
    const client = server.client();
    const sub = randomBytes(8).toString("hex");
    const email = freshEmail();
    await sites.signIn(client, "plain", sub, { email, email_verified: true });
    const authenticator = await addPasskey(server, client);
    const methods = need(await client.get(METHODS), "methods");
    return { client, email, sub, authenticator, methods };
  }

  const CHANGES: Record<string, (client: Client, methodId: string) => Promise<Answer>> = {
    "a first password": (client) => client.put("/api/account/password", { newPassword: PASSWORD }),
    "another address": (client) => client.put("/api/account/email", { email: freshEmail() }),
    "beginning 2FA": (client) => client.post("/api/account/two-factor"),
    "a new passkey": (client) => client.post("/api/passkeys/options"),
    "a new site": (client) => client.post("/api/oidc/trusted-mfa/start", { intent: "connect" }),
    "a method less": (client, methodId) => client.delete(`${METHODS}/${methodId}`),
    "deleting the account": (client) => client.delete("/api/account", {}),
  };

  test.each(Object.entries(CHANGES))(
    "wants a proof of the last 10 minutes where there is no password, and says which ones: %s",
    async (_name, change) => {
      const { client, authenticator, methods } = await withoutPassword();
      const passkeyId = methods.find(({ kind }) => kind === "passkey")?.id ?? "";
      server.clock.advance(10 * MINUTE);
      const refused = await change(client, passkeyId);
      expectRefusal(refused, 403, "proof_needed");
      expect(refused.body.methods).toEqual(["passkey", "oidc:plain"]);
      expect(await listOf(client)).toHaveLength(1);
      const before = client.token;
      const passkey = authenticator.get(await signInOptions(client));
      expectNoContent(await client.post("/api/session/proof", { passkey }));
      expect(client.token).not.toBe(before);
      expect((await change(client, passkeyId)).status).toBeLessThan(300);
      server.clock.advance(-10 * MINUTE);
    },
  );

  test("isn't proved by a password that the account doesn't have, or by a passkey that can't be read", async () => {
    const { client } = await withoutPassword();
    const { token } = client;
    const prove = (proof: object) => client.post("/api/session/proof", proof);
    expectRefusal(await prove({ currentPassword: PASSWORD }), 403, "wrong_password");
    expectRefusal(await prove({ passkey: {} }), 422, "wrong_passkey");
    expect(client.token).toBe(token);
  });

  test("names one's own ways to prove it, and nobody else's", async () => {
    await withoutPassword();
    const { client } = await signUp(server);
    server.clock.advance(10 * MINUTE);
    const refused = await client.post("/api/passkeys/options");
    expectRefusal(refused, 403, "proof_needed");
    expect(refused.body.methods).toEqual(["password"]);
    server.clock.advance(-10 * MINUTE);
  });

  test("the first password is a new login method: it is in the activity, reported by email, and other devices are logged out", async () => {
    const { client, email, authenticator } = await withoutPassword();
    const other = server.client(UA.firefoxWindows);
    expectStatus(201, await passkeySignIn(other, authenticator));
    expectNoContent(await client.put("/api/account/password", { newPassword: PASSWORD }));
    await expectSignedOut(other, "password_changed");
    await expectSignedIn(client);
    const [added] = (await activityOf(client)).filter(({ kind }) => kind === "method_added");
    expect(added?.detail).toEqual({ method: "password" });
    const mail = await server.outbox.withSubject(email, "New login method: Password");
    expect(mail.text).toContain("1 other device was logged out.");
    expect(mail.text).toContain("/not-me#token=");
    await signIn(server, { email, password: PASSWORD }, UA.firefoxLinux);
  });

  test("the sessions that a method opened end with it, but not the one that disconnects it", async () => {
    const person = await signUp(server);
    await verifyEmail(server, person);
    const authenticator = await addPasskey(server, person.client);
    const byPasskey = server.client(UA.firefoxLinux);
    expectStatus(201, await passkeySignIn(byPasskey, authenticator));
    const twin = server.client(UA.safariIphone);
    expectStatus(201, await passkeySignIn(twin, authenticator));
    const methods = need(await byPasskey.get(METHODS), "methods");
    const id = methods.find(({ kind }) => kind === "passkey")?.id;
    expectNoContent(await byPasskey.delete(`${METHODS}/${id}`));
    await expectSignedOut(twin, "method_removed");
    for (const client of [byPasskey, person.client]) await expectSignedIn(client);

    await addPasskey(server, byPasskey);
    const byPassword = (await signIn(server, person, UA.edgeWindows)).client;
    expectNoContent(await byPasskey.delete(`${METHODS}/password`));
    for (const client of [byPassword, person.client]) await expectSignedOut(client, "method_removed");
    await expectSignedIn(byPasskey);
    expectRefusal(await trySignIn(server.client(), person), 401, "wrong_credentials");
  });

  describe("is told by email, with a way out for an owner who did none of it", () => {
    const wayOut = (text: string) => expect(text).toContain("/not-me#token=");

    test("a recovery code, at the sign-in and in the settings", async () => {
      const person = await signUp(server);
      const { secret, recoveryCodes } = await turnOnTwoFactor(server, person);
      const withApp = { currentPassword: person.password, code: codeAt(secret, server.clock.now()) };
      // Of the two, the code counts; the recovery code isn't used up.
      const withBoth = { ...withApp, recoveryCode: recoveryCodes[2] };
      expectNoContent(await person.client.post("/api/session/proof", withBoth));
      const client = server.client(UA.firefoxWindows);
      expectStatus(202, await client.post("/api/session", person));
      expectStatus(201, await client.post("/api/session/two-factor", { recoveryCode: recoveryCodes[0] }));
      const first = await server.outbox.withSubject(person.email, "A recovery code was used");
      wayOut(first.text);
      expect(first.text).toContain("9 of 10 are left");
      const body = { currentPassword: person.password, recoveryCode: recoveryCodes[1] };
      expectNoContent(await client.delete("/api/account/two-factor", body));
      await expect
        .poll(async () => (await server.outbox.withSubject(person.email, "A recovery code was used")).text)
        .toContain("8 of 10 are left");
      const used = (await activityOf(client)).filter(({ kind }) => kind === "recovery_code_used");
      expect(used.map(({ detail }) => detail.left)).toEqual([8, 9]);
    });

    test("a wrong code after the right password, and after a site in place of a password", async () => {
      const person = await signUp(server);
      await sites.connect(person.client, "plain", person.account.id);
      const { secret } = await turnOnTwoFactor(server, person);
      const wrong = codeAt(secret, server.clock.now() + 60 * MINUTE);
      const thief = server.client(UA.firefoxWindows);
      expectStatus(202, await thief.post("/api/session", person));
      expectRefusal(await thief.post("/api/session/two-factor", { code: wrong }), 401, "wrong_code");
      const known = await server.outbox.withSubject(person.email, "Someone knows your password");
      wayOut(known.text);
      const token = /\/not-me#token=([\w-]+)/.exec(known.text)?.[1];
      expectNoContent(await server.client().post("/api/not-me", { token }));
      expect(await server.outbox.tokenFor(person.email, "/reset-password")).toMatch(/^[\w-]{43}$/);
      expectRefusal(await thief.post("/api/session/two-factor", { code: wrong }), 401, "sign_in_expired");
      await expectSignedIn(person.client);

      const bySite = server.client(UA.safariIphone);
      expect(await sites.signIn(bySite, "plain", person.account.id)).toContain("step=two-factor");
      expectRefusal(await bySite.post("/api/session/two-factor", { code: wrong }), 401, "wrong_code");
      wayOut((await server.outbox.withSubject(person.email, "Someone got past your first step")).text);
    });
  });
});
