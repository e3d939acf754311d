import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { tokenIn } from "../support/mail/outbox.ts";
import { need } from "../support/requests/answers.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  expectStatus,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signIn,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

describeOnEachEngine("A session that the account's owner reports", (engine) => {
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

  async function withThief() {
    const owner = await signUp(server);
    await verifyEmail(server, owner);
    const ownPasskey = await addPasskey(server, owner.client);
    const thief = await signIn(server, owner, UA.firefoxWindows);
    const passkey = await addPasskey(server, thief.client);
    await sites.connect(thief.client, "trusted-mfa", `thief-${owner.account.id}`);
    return { owner, ownPasskey, thief: thief.client, passkey };
  }

  async function report(email: string): Promise<void> {
    const mail = await server.outbox.withSubject(email, "New login method: Trusted-mfa");
    const token = tokenIn(mail, "/not-me");
    expectNoContent(await server.client().post("/api/not-me", { token }));
  }

  test("takes the login methods that it added with it, and the sessions opened by them; the owner's stay", async () => {
    const { owner, ownPasskey, thief, passkey } = await withThief();
    const byPasskey = server.client(UA.firefoxLinux);
    expectStatus(201, await passkeySignIn(byPasskey, passkey));
    const bySite = server.client(UA.safariIphone);
    await sites.signIn(bySite, "trusted-mfa", `thief-${owner.account.id}`);
    await expectSignedIn(bySite);

    await report(owner.email);
    await expectSignedOut(thief, "reported");
    for (const client of [byPasskey, bySite]) await expectSignedOut(client, "method_removed");
    expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
    const again = server.client(UA.firefoxLinux);
    await sites.signIn(again, "trusted-mfa", `thief-${owner.account.id}`, { email: owner.email });
    expectRefusal(await again.get("/api/session"), 401, "signed_out");

    await expectSignedIn(owner.client);
    const methods = need(await owner.client.get("/api/account/login-methods"), "methods");
    expect(methods.map(({ kind }) => kind)).toEqual(["password", "passkey"]);
    expectStatus(201, await passkeySignIn(server.client(UA.firefoxLinux), ownPasskey));
    const removed = (await activityOf(owner.client)).filter(({ kind }) => kind === "method_removed");
    expect(removed.map(({ detail }) => detail.method).sort()).toEqual(["oidc", "passkey"]);
  });

  /** An account without a password, to which a thief has added one. */
  async function withThiefsPassword() {
    const owner = await signUp(server);
    await verifyEmail(server, owner);
    const ownPasskey = await addPasskey(server, owner.client);
    const older = await addPasskey(server, (await signIn(server, owner, UA.safariIphone)).client);
    expectNoContent(await owner.client.delete("/api/account/login-methods/password"));
    const thief = server.client(UA.firefoxWindows);
    expectStatus(201, await passkeySignIn(thief, ownPasskey));
    expectNoContent(await thief.put("/api/account/password", { newPassword: OTHER_PASSWORD }));
    const mail = await server.outbox.withSubject(owner.email, "New login method: Password");
    return { owner, older, thief, password: OTHER_PASSWORD, link: tokenIn(mail, "/not-me") };
  }

  test("takes the account's first password along if it set that, with what came in by it; the owner's passkeys stay", async () => {
    const { owner, older, thief, password, link } = await withThiefsPassword();
    const { client: elsewhere } = await signIn(server, { ...owner, password }, UA.edgeWindows);
    const passkey = await addPasskey(server, elsewhere);
    expectNoContent(await server.client().post("/api/not-me", { token: link }));
    await expectSignedOut(thief, "reported");
    await expectSignedOut(elsewhere, "method_removed");
    const again = await trySignIn(server.client(), { ...owner, password });
    expectRefusal(again, 401, "wrong_credentials");
    expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
    expectStatus(201, await passkeySignIn(owner.client, older));
    const methods = need(await owner.client.get("/api/account/login-methods"), "methods");
    expect(methods.map(({ kind }) => kind)).toEqual(["passkey", "passkey"]);
    const removed = (await activityOf(owner.client)).filter(({ kind }) => kind === "method_removed");
    expect(removed.map(({ detail }) => detail.method)).toContain("password");
  });

  test("leaves the password that its owner has reset since", async () => {
    const { owner, link } = await withThiefsPassword();
    const chosen = { token: await resetToken(server, owner.email), password: PASSWORD };
    expectNoContent(await server.client().put("/api/password-resets", chosen));
    expectNoContent(await server.client().post("/api/not-me", { token: link }));
    await signIn(server, { ...owner, password: PASSWORD }, UA.firefoxLinux);
  });

  test("whose password was reset by someone else: that password no longer works, and its sessions end", async () => {
    const owner = await signUp(server);
    await verifyEmail(server, owner);
    const ownPasskey = await addPasskey(server, owner.client);
    const token = await resetToken(server, owner.email);
    const thief = server.client(UA.firefoxWindows);
    expectNoContent(await thief.put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    await signIn(server, { ...owner, password: OTHER_PASSWORD }, thief);
    const passkey = await addPasskey(server, thief);
    expectStatus(201, await passkeySignIn(owner.client, ownPasskey));
    const mail = await server.outbox.withSubject(owner.email, "Your password was reset");
    expectNoContent(await server.client().post("/api/not-me", { token: tokenIn(mail, "/not-me") }));
    await expectSignedOut(thief, "method_removed");
    const again = await trySignIn(server.client(), { ...owner, password: OTHER_PASSWORD });
    expectRefusal(again, 401, "wrong_credentials");
    expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
    await expectSignedIn(owner.client);
    const chosen = {
      token: await server.outbox.tokenFor(owner.email, "/reset-password"),
      password: PASSWORD,
    };
    expectNoContent(await server.client().put("/api/password-resets", chosen));
    await signIn(server, { ...owner, password: PASSWORD }, UA.firefoxLinux);
  });

  test("keeps 2FA, whoever turned it on: a mailbox alone can't turn it off", async () => {
    const { owner, thief } = await withThief();
    await turnOnTwoFactor(server, { ...owner, client: thief });
    await report(owner.email);
    expectStatus(202, await trySignIn(server.client(UA.firefoxLinux), owner));
  });

  describe("by a thief", () => {
    const newSignIn = "New sign-in: Firefox on Windows";

    async function withDevices() {
      const owner = await signUp(server);
      await verifyEmail(server, owner);
      const phone = (await signIn(server, owner, UA.safariIphone)).client;
      const thief = (await signIn(server, owner, UA.firefoxWindows)).client;
      const link = tokenIn(await server.outbox.withSubject(owner.email, newSignIn), "/not-me");
      return { owner, phone, thief, link };
    }

    const say = async (token: string) =>
      expectNoContent(await server.client().post("/api/not-me", { token }));

    test("who signed in again in the same browser is logged out as well, and what was added there is removed", async () => {
      const { owner, phone, thief, link } = await withDevices();
      await signIn(server, owner, thief);
      const passkey = await addPasskey(server, thief);
      await say(link);
      await expectSignedOut(thief, "reported");
      expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
      for (const client of [owner.client, phone]) await expectSignedIn(client);
    });

    test("who came with one method and added the next is followed from one to the other", async () => {
      const { owner, phone, thief, link } = await withDevices();
      const first = await addPasskey(server, thief);
      const elsewhere = server.client(UA.firefoxLinux);
      expectStatus(201, await passkeySignIn(elsewhere, first));
      const second = await addPasskey(server, elsewhere);
      const third = server.client(UA.edgeWindows);
      expectStatus(201, await passkeySignIn(third, second));
      await sites.connect(third, "plain", `chain-${owner.account.id}`);
      await say(link);
      await expectSignedOut(thief, "reported");
      for (const client of [elsewhere, third]) await expectSignedOut(client, "method_removed");
      for (const passkey of [first, second])
        expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
      const methods = need(await owner.client.get("/api/account/login-methods"), "methods");
      expect(methods.map(({ kind }) => kind)).toEqual(["password"]);
      await expectSignedIn(phone);
    });

    test("leaves alone another account that uses the same browser: its session, and that it knows the browser", async () => {
      const { thief, link } = await withDevices();
      const other = await signUp(server);
      const shared = server.client(UA.firefoxWindows);
      shared.jar.set("latchkey-device", thief.jar.get("latchkey-device") ?? "");
      await signIn(server, other, shared);
      await say(link);
      await expectSignedOut(thief, "reported");
      await expectSignedIn(shared);
      await signIn(server, other, shared);
      const news = (await server.outbox.to(other.email)).filter(({ subject }) => subject.includes(newSignIn));
      expect(news).toHaveLength(1);
    });

    test("a thief who comes back with the password, before it is reset, is reported again", async () => {
      const { owner, thief, link } = await withDevices();
      const before = await server.outbox.withSubject(owner.email, newSignIn);
      await say(link);
      await signIn(server, owner, thief);
      await expect
        .poll(async () => (await server.outbox.withSubject(owner.email, newSignIn)).file)
        .not.toBe(before.file);
    });
  });

  test("leaves every method if the email was about no session, even a sign-up's first one", async () => {
    const client = server.client();
    const sub = `pending-${Date.now()}-${engine.name}`;
    await sites.signIn(client, "plain", sub);
    const { email } = need(await client.get("/api/session"), "account");
    await sites.connect(client, "trusted-mfa", sub);
    const secret = need(await client.post("/api/account/two-factor"), "secret");
    server.clock.toMiddleOf(STEP);
    const code = codeAt(secret, server.clock.now(), -1);
    expectStatus(200, await client.put("/api/account/two-factor", { code }));
    const thief = server.client(UA.firefoxWindows);
    await sites.signIn(thief, "plain", sub);
    expectRefusal(await thief.post("/api/session/two-factor", { code }), 401, "wrong_code");
    const mail = await server.outbox.withSubject(email, "Someone got past your first step");
    expectNoContent(await server.client().post("/api/not-me", { token: tokenIn(mail, "/not-me") }));
    expect(need(await client.get("/api/account/login-methods"), "methods")).toHaveLength(2);
  });

  test("leaves a sign-up's first method, since the account was created with it", async () => {
    const client = server.client();
    const sub = `first-${Date.now()}-${engine.name}`;
    await sites.signIn(client, "plain", sub);
    const { email } = need(await client.get("/api/session"), "account");
    await sites.connect(client, "trusted-mfa", sub);
    await report(email);
    await expectSignedOut(client, "reported");
    const again = server.client();
    await sites.signIn(again, "plain", sub);
    await expectSignedIn(again);
    expect(need(await again.get("/api/account/login-methods"), "methods")).toHaveLength(1);
  });
});
