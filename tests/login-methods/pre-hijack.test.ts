import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { SECOND } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal, expectSignedOut } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  halfSignIn,
  listOf,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
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

/** Someone signs up with an address that isn't theirs and waits; then its owner comes. */
describeOnEachEngine("An account that someone else has prepared for its owner", (engine) => {
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

  const subject = () => randomBytes(8).toString("hex");
  const asAttacker = () => signUp(server, { email: freshEmail("owner") });

  /** The owner's own reset, from the owner's own browser. */
  async function takeByReset(email: string): Promise<Client> {
    const token = await resetToken(server, email);
    const owner = server.client(UA.safariMac);
    expectNoContent(await owner.put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    return (await signIn(server, { email, password: OTHER_PASSWORD }, owner)).client;
  }

  /** What the owner has then belongs to the owner alone. */
  async function expectOwnersAlone(owner: Client, email: string): Promise<void> {
    expect(need(await owner.get("/api/session"), "account")).toMatchObject({
      email,
      emailVerified: true,
      twoFactor: false,
    });
    expect(await listOf(owner)).toHaveLength(1);
    const methods = need(await owner.get("/api/account/login-methods"), "methods");
    expect(methods.map(({ kind }) => kind)).toEqual(["password"]);
    expectRefusal(await trySignIn(server.client(), { email, password: PASSWORD }), 401, "wrong_credentials");
  }

  async function expectNoWayToChange(attacker: Person): Promise<void> {
    const { client, password: currentPassword } = attacker;
    const email = freshEmail("attacker");
    const tries = [
      client.put("/api/account/email", { email, currentPassword }),
      client.put("/api/account/password", { currentPassword, newPassword: "another-Lantern-burrow-58" }),
      client.post("/api/session/proof", { currentPassword }),
      client.post("/api/passkeys/options"),
      client.post("/api/account/two-factor", { currentPassword }),
      client.post("/api/oidc/plain/start", { intent: "connect" }),
      client.delete("/api/account", { currentPassword }),
    ];
    for (const answer of await Promise.all(tries)) expectRefusal(answer, 401, "signed_out");
  }

  test("by a password, which no sign-in with a provider merges with: the owner's reset leaves it worthless", async () => {
    const attacker = await asAttacker();
    const { email } = attacker;
    const sub = subject();
    const facts = { email, email_verified: true };
    const owner = server.client(UA.safariMac);
    expect(await sites.signIn(owner, "plain", sub, facts)).toContain("/login?error=provider_account_exists");
    expectRefusal(await owner.get("/api/session"), 401, "signed_out");
    expect(need(await attacker.client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
    const taken = await takeByReset(email);
    await expectOwnersAlone(taken, email);
    await sites.connect(taken, "plain", sub);
    const again = server.client(UA.firefoxLinux);
    await sites.signIn(again, "plain", sub, facts);
    expect(need(await again.get("/api/session"), "account").id).toBe(attacker.account.id);
    await expectNoWayToChange(attacker);
  });

  test("by sessions that never end: they are ended, on every device, and their cookies come back nowhere", async () => {
    const attacker = await asAttacker();
    const second = await signIn(server, attacker, UA.firefoxWindows);
    const owner = await takeByReset(attacker.email);
    for (const client of [attacker.client, second.client]) {
      await expectSignedOut(client, "password_reset");
      expectRefusal(await client.get("/api/sessions"), 401, "signed_out");
      expect((await client.get("/verify")).status).toBe(401);
    }
    await expectOwnersAlone(owner, attacker.email);
    await expectNoWayToChange(attacker);
  });

  describe("by a login method of every other kind", () => {
    async function withTrojans() {
      const attacker = await asAttacker();
      const passkey = await addPasskey(server, attacker.client);
      const sub = subject();
      await sites.connect(attacker.client, "plain", sub);
      await sites.connect(attacker.client, "trusted-mfa", sub);
      const making = JSON.parse((await attacker.client.post("/api/passkeys/options")).text);
      const connecting = JSON.parse(
        (await attacker.client.post("/api/oidc/trusted-otp/start", { intent: "connect" })).text,
      );
      const { secret, recoveryCodes } = await turnOnTwoFactor(server, attacker);
      const waiting = await halfSignIn(server, attacker, UA.firefoxWindows);
      return { attacker, passkey, sub, making, connecting, secret, recoveryCodes, waiting };
    }

    async function expectHarmless(trojans: Awaited<ReturnType<typeof withTrojans>>): Promise<void> {
      const { attacker, passkey, sub, making, connecting, secret, recoveryCodes, waiting } = trojans;
      expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
      for (const site of ["plain", "trusted-mfa"] as const) {
        const client = server.client(UA.firefoxLinux);
        await sites.signIn(client, site, sub, { email: attacker.email });
        expectRefusal(await client.get("/api/session"), 401, "signed_out");
      }
      for (const body of [{ code: codeAt(secret, server.clock.now()) }, { recoveryCode: recoveryCodes[0] }])
        expectRefusal(await waiting.post("/api/session/two-factor", body), 401, "sign_in_expired");
      const late = passkey.create(making, { id: randomBytes(16).toString("base64url") });
      expectRefusal(await attacker.client.post("/api/passkeys", { passkey: late }), 401, "signed_out");
      await sites.finish(attacker.client, connecting.url, "trusted-otp", sub);
      await expectNoWayToChange(attacker);
    }

    test("passkey, provider, 2FA and what is half done go with the owner's reset", async () => {
      const trojans = await withTrojans();
      const { email } = trojans.attacker;
      const owner = await takeByReset(email);
      await expectOwnersAlone(owner, email);
      await expectHarmless(trojans);
      await expectOwnersAlone(owner, email);
    });

    test("they are removed, too, if the owner says by email that it wasn't them", async () => {
      const trojans = await withTrojans();
      const { attacker } = trojans;
      const { email } = attacker;
      const token = await server.outbox.tokenFor(email, "/not-me");
      expectNoContent(await server.client().post("/api/not-me", { token }));
      await expectSignedOut(attacker.client, "reported");
      const reset = await server.outbox.tokenFor(email, "/reset-password");
      const owner = server.client(UA.safariMac);
      const body = { token: reset, password: OTHER_PASSWORD };
      expectNoContent(await owner.put("/api/password-resets", body));
      await signIn(server, { email, password: OTHER_PASSWORD }, owner);
      await expectOwnersAlone(owner, email);
      await expectHarmless(trojans);
    });
  });

  describe("and confirmed by its owner before anything else", () => {
    async function prepared() {
      const attacker = await asAttacker();
      const passkey = await addPasskey(server, attacker.client);
      const sub = subject();
      await sites.connect(attacker.client, "plain", sub);
      return { attacker, passkey, sub };
    }

    test("passkey and provider from before go with the owner's reset all the same, and the email says so, and from which device", async () => {
      const { attacker, passkey, sub } = await prepared();
      await verifyEmail(server, attacker);
      server.clock.advance(SECOND);
      const owner = await takeByReset(attacker.email);
      await expectOwnersAlone(owner, attacker.email);
      expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
      const bySite = server.client(UA.firefoxLinux);
      await sites.signIn(bySite, "plain", sub, { email: attacker.email });
      expectRefusal(await bySite.get("/api/session"), 401, "signed_out");
      const mail = await server.outbox.withSubject(attacker.email, "Your password was reset");
      expect(mail.text).toContain("was removed");
      expect(mail.text).toMatch(/ UTC, from Safari on Mac OS\.$/m);
    });

    test("what was added after it stays, even once the address has been changed or taken back", async () => {
      const owner = await signUp(server, { email: freshEmail("owner") });
      await verifyEmail(server, owner);
      server.clock.advance(SECOND);
      const passkey = await addPasskey(server, owner.client);
      await turnOnTwoFactor(server, owner);
      server.clock.advance(SECOND);
      const email = freshEmail("moved");
      const body = { email, currentPassword: owner.password };
      expectStatus(202, await owner.client.put("/api/account/email", body));
      const confirm = await server.outbox.tokenFor(email, "/confirm-email");
      expectNoContent(await owner.client.post("/api/email-confirmations", { token: confirm }));
      const expectAllThere = async (address: string, password: string) => {
        const token = await resetToken(server, address);
        expectNoContent(await server.client().put("/api/password-resets", { token, password }));
        expectStatus(202, await trySignIn(server.client(), { email: address, password }));
        expectStatus(201, await passkeySignIn(server.client(), passkey));
      };
      await expectAllThere(email, OTHER_PASSWORD);
      const keep = await server.outbox.tokenFor(owner.email, "/keep-email");
      expectNoContent(await server.client().post("/api/email-reversals", { token: keep }));
      await expectAllThere(owner.email, PASSWORD);
    });

    test("if the browser that confirms is the account's own, all of it stays, and the email names it", async () => {
      const { attacker: owner, passkey } = await prepared();
      await turnOnTwoFactor(server, owner);
      const token = await server.outbox.tokenFor(owner.email, "/confirm-email");
      expectNoContent(await owner.client.post("/api/email-confirmations", { token }));
      const reset = await resetToken(server, owner.email);
      expectNoContent(
        await server.client().put("/api/password-resets", { token: reset, password: OTHER_PASSWORD }),
      );
      expectStatus(201, await passkeySignIn(server.client(), passkey));
      const again = { email: owner.email, password: OTHER_PASSWORD };
      expectStatus(202, await trySignIn(server.client(), again));
      const mail = await server.outbox.withSubject(owner.email, "Your password was reset");
      expect(mail.text).toContain('These can still be used to log in: "Key", "Plain"');
      expect(mail.text).not.toContain("was removed");
    });
  });

  test("by a change of the address that waits for its confirmation: its link opens nothing any more", async () => {
    const attacker = await asAttacker();
    const other = freshEmail("attacker");
    const body = { email: other, currentPassword: PASSWORD };
    expectStatus(202, await attacker.client.put("/api/account/email", body));
    const token = await server.outbox.tokenFor(other, "/confirm-email");
    const owner = await takeByReset(attacker.email);
    expectRefusal(await server.client().post("/api/email-confirmations", { token }), 410, "link_expired");
    await expectOwnersAlone(owner, attacker.email);
    const answer = await trySignIn(server.client(), { email: other, password: PASSWORD });
    expectRefusal(answer, 401, "wrong_credentials");
  });

  test("by a change of the address: the account leaves with whoever made it, and the owner signs up afresh", async () => {
    const attacker = await asAttacker();
    const passkey = await addPasskey(server, attacker.client);
    const other = freshEmail("attacker");
    expectStatus(
      202,
      await attacker.client.put("/api/account/email", { email: other, currentPassword: PASSWORD }),
    );
    const confirm = await server.outbox.tokenFor(other, "/confirm-email");
    expectNoContent(await attacker.client.post("/api/email-confirmations", { token: confirm }));
    const owner = await signUp(server, { email: attacker.email, userAgent: UA.safariMac });
    expect(owner.account.id).not.toBe(attacker.account.id);
    expect(await listOf(owner.client)).toHaveLength(1);
    expect(need(await passkeySignIn(server.client(), passkey), "account").id).toBe(attacker.account.id);
  });

  test("if the owner had proved the address, a thief's passkey goes with the thief's change, and the owner's stays", async () => {
    const owner = await signUp(server, { email: freshEmail("owner") });
    await verifyEmail(server, owner);
    const ownPasskey = await addPasskey(server, owner.client);
    server.clock.advance(SECOND);
    const thief = await signIn(server, owner, UA.firefoxWindows);
    const other = freshEmail("thief");
    const body = { email: other, currentPassword: PASSWORD };
    expectStatus(202, await thief.client.put("/api/account/email", body));
    const passkey = await addPasskey(server, thief.client);
    const confirm = await server.outbox.tokenFor(other, "/confirm-email");
    expectNoContent(await thief.client.post("/api/email-confirmations", { token: confirm }));
    const keep = await server.outbox.tokenFor(owner.email, "/keep-email");
    expectNoContent(await server.client().post("/api/email-reversals", { token: keep }));
    expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");
    expectStatus(201, await passkeySignIn(server.client(), ownPasskey));
  });

  test("by a provider that verifies nothing: its subject is cut off, and signs in to nothing of the owner's", async () => {
    const email = freshEmail("owner");
    const sub = subject();
    const attacker = server.client();
    await sites.signIn(attacker, "plain", sub, { email, email_verified: false });
    const { id, emailVerified } = need(await attacker.get("/api/session"), "account");
    expect(emailVerified).toBe(false);
    const owner = await takeByReset(email);
    expect(need(await owner.get("/api/session"), "account").id).toBe(id);
    await expectOwnersAlone(owner, email);
    await expectSignedOut(attacker, "password_reset");
    for (const verified of [false, true]) {
      const again = server.client(UA.firefoxLinux);
      const landed = await sites.signIn(again, "plain", sub, { email, email_verified: verified });
      expect(landed).toContain("/login?error=provider_account_exists");
      expectRefusal(await again.get("/api/session"), 401, "signed_out");
    }
  });
});
