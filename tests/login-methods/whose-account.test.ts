import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { SECOND } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signIn,
  signInWithCode,
  signUp,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

/**
 * What was set up before the owner proved the address isn't the owner's, and only the owner's reset settles
 * that.
 */
describeOnEachEngine("Whose account it is", (engine) => {
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

  const stranger = () => signUp(server, { email: freshEmail("owner") });
  const subject = () => randomBytes(8).toString("hex");

  async function later(): Promise<void> {
    server.clock.advance(SECOND);
  }

  /** The token of a link, once every email has been written. */
  async function linkTo(email: string, page: string): Promise<string> {
    await server.latchkey.parts.mailer.settled();
    return server.outbox.tokenFor(email, page);
  }

  async function confirmAt(browser: Client, email: string, answer: { mine?: boolean } = {}) {
    const token = await linkTo(email, "/confirm-email");
    return browser.post("/api/email-confirmations", { token, ...answer });
  }

  async function preview(browser: Client, email: string) {
    const token = await linkTo(email, "/confirm-email");
    const answer = await browser.post("/api/email-confirmations/preview", { token });
    return JSON.parse(expectStatus(200, answer).text);
  }

  async function askForChange({ client, password }: Pick<Person, "client" | "password">, email: string) {
    expectStatus(202, await client.put("/api/account/email", { email, currentPassword: password }));
  }

  async function reset(email: string): Promise<string> {
    await server.latchkey.parts.mailer.settled();
    const token = await resetToken(server, email);
    expectNoContent(
      await server.client(UA.safariMac).put("/api/password-resets", { token, password: OTHER_PASSWORD }),
    );
    await server.latchkey.parts.mailer.settled();
    return (await server.outbox.withSubject(email, "Your password was reset")).text;
  }

  const expectUseless = async (passkey: SoftwareAuthenticator) =>
    expectRefusal(await passkeySignIn(server.client(), passkey), 401, "wrong_passkey");

  test("a stranger's passkey isn't legitimised by a change of the address that its owner takes back", async () => {
    const attacker = await stranger();
    const passkey = await addPasskey(server, attacker.client);
    await later();
    expectNoContent(await confirmAt(server.client(UA.safariMac), attacker.email));
    await later();
    const other = freshEmail("attacker");
    await askForChange(attacker, other);
    expectNoContent(await confirmAt(attacker.client, other));
    const keep = await linkTo(attacker.email, "/keep-email");
    expectNoContent(await server.client(UA.safariMac).post("/api/email-reversals", { token: keep }));
    expect(await reset(attacker.email)).toContain('"Key"');
    await expectUseless(passkey);
  });

  test("nor by a change of the address alone, nor by a second one", async () => {
    const attacker = await stranger();
    const passkey = await addPasskey(server, attacker.client);
    await later();
    expectNoContent(await confirmAt(server.client(UA.safariMac), attacker.email));
    for (const name of ["first", "second"]) {
      await later();
      const next = freshEmail(name);
      await askForChange(attacker, next);
      expectNoContent(await confirmAt(attacker.client, next));
    }
    const keep = await linkTo(attacker.email, "/keep-email");
    expectNoContent(await server.client(UA.safariMac).post("/api/email-reversals", { token: keep }));
    await reset(attacker.email);
    await expectUseless(passkey);
  });

  test("nor if its owner resets the password with an email from before the change", async () => {
    const attacker = await stranger();
    const passkey = await addPasskey(server, attacker.client);
    await signIn(server, attacker, UA.firefoxWindows);
    const notMe = await linkTo(attacker.email, "/not-me");
    await later();
    expectNoContent(await confirmAt(server.client(UA.safariMac), attacker.email));
    const other = freshEmail("attacker");
    await askForChange(attacker, other);
    expectNoContent(await confirmAt(attacker.client, other));
    const owner = server.client(UA.safariMac);
    expectNoContent(await owner.post("/api/not-me", { token: notMe }));
    const token = await linkTo(attacker.email, "/reset-password");
    expectNoContent(await owner.put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    await expectUseless(passkey);
    const { client } = await signIn(server, { email: other, password: OTHER_PASSWORD }, owner);
    expect(need(await client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
  });

  describe("the method that an account starts with is treated like any other", () => {
    async function beginsWithPasskey(): Promise<{
      email: string;
      client: Client;
      passkey: SoftwareAuthenticator;
    }> {
      const email = freshEmail("owner");
      const client = server.client();
      const passkey = new SoftwareAuthenticator(server.baseUrl);
      const options = expectStatus(200, await client.post("/api/passkeys/options", { email }));
      const made = passkey.create(JSON.parse(options.text));
      expectStatus(201, await client.post("/api/accounts", { email, passkey: made }));
      return { email, client, passkey };
    }

    for (const confirmed of [false, true]) {
      const when = confirmed ? "that its owner confirmed elsewhere" : "that nobody confirmed";
      test(`a passkey goes with the owner's reset of an account ${when}`, async () => {
        const { email, client, passkey } = await beginsWithPasskey();
        await later();
        if (confirmed) expectNoContent(await confirmAt(server.client(UA.safariMac), email));
        expect(await reset(email)).toContain("was removed");
        await expectSignedOut(client, "password_reset");
        await expectUseless(passkey);
      });

      test(`another site goes with the owner's reset of an account ${when}`, async () => {
        const email = freshEmail("owner");
        const sub = subject();
        const attacker = server.client();
        await sites.signIn(attacker, "plain-says-mfa", sub, { email, email_verified: false });
        await expectSignedIn(attacker);
        await later();
        if (confirmed) expectNoContent(await confirmAt(server.client(UA.safariMac), email));
        expect(await reset(email)).toContain('"Plain-says-mfa"');
        const again = server.client(UA.firefoxLinux);
        await sites.signIn(again, "plain-says-mfa", sub, { email, email_verified: false });
        expectRefusal(await again.get("/api/session"), 401, "signed_out");
      });
    }

    test.each([
      ["is logged in to it", (client: Client) => client.jar.delete("latchkey-device")],
      ["it knows", (client: Client) => client.jar.delete(client.sessionCookieName)],
    ])("it stays if a browser that %s confirmed the address", async (_, forget) => {
      const { email, client, passkey } = await beginsWithPasskey();
      await later();
      forget(client);
      expectNoContent(await confirmAt(client, email));
      expect(await reset(email)).not.toContain("was removed");
      expectStatus(201, await passkeySignIn(server.client(), passkey));
    });
  });

  describe("a change of the address", () => {
    async function trojan() {
      const attacker = await signUp(server, { email: freshEmail("attacker") });
      expectNoContent(await confirmAt(attacker.client, attacker.email));
      const passkey = await addPasskey(server, attacker.client);
      const victim = freshEmail("victim");
      await later();
      const askedAt = server.clock.now();
      await askForChange(attacker, victim);
      return { attacker, passkey, victim, askedAt };
    }

    test("isn't confirmed by someone who only reads the new address's email", async () => {
      const { attacker, victim } = await trojan();
      const token = await linkTo(victim, "/confirm-email");
      const confirm = (browser: Client) => browser.post("/api/email-confirmations", { token });
      expectRefusal(await confirm(server.client(UA.safariMac)), 401, "signed_out");
      expect(need(await attacker.client.get("/api/session"), "account").email).toBe(attacker.email);
      const owner = await signUp(server, { email: victim });
      expect(owner.account.email).toBe(victim);
      expectRefusal(await confirm(owner.client), 403, "other_account");
    });

    test("isn't confirmed by a browser that is signed in to another account", async () => {
      const { attacker, victim } = await trojan();
      const someone = await signUp(server);
      expectRefusal(await confirmAt(someone.client, victim), 403, "other_account");
      expect(need(await attacker.client.get("/api/session"), "account").email).toBe(attacker.email);
    });

    test("is confirmed by another browser of the account, which stays logged in with the one that asked", async () => {
      const person = await signUp(server);
      expectNoContent(await confirmAt(person.client, person.email));
      const phone = await signIn(server, person, UA.safariIphone);
      const laptop = await signIn(server, person, UA.firefoxWindows);
      const email = freshEmail("new");
      await askForChange(person, email);
      expectNoContent(await confirmAt(phone.client, email));
      for (const client of [person.client, phone.client])
        expect(need(await client.get("/api/session"), "account").email).toBe(email);
      await expectSignedOut(laptop.client, "email_changed");
    });

    test("that was refused because nobody was logged in goes on with the same link after a login", async () => {
      const person = await signUp(server);
      const email = freshEmail("new");
      await askForChange(person, email);
      const phone = server.client(UA.safariIphone);
      expectRefusal(await confirmAt(phone, email), 401, "signed_out");
      await signIn(server, person, phone);
      expectNoContent(await confirmAt(phone, email));
    });

    test("previewed by someone outside the account reveals nothing about it", async () => {
      const { attacker, victim, askedAt } = await trojan();
      await turnOnTwoFactor(server, attacker);
      const seen = await preview(server.client(UA.safariMac), victim);
      expect(seen).toMatchObject({ kind: "change", email: victim, label: "Chrome on Mac OS", known: false });
      expect(seen).toMatchObject({ twoFactor: false, methods: [] });
      expect(Date.parse(seen.createdAt)).toBeGreaterThanOrEqual(askedAt);
      const own = await preview(attacker.client, victim);
      expect(own).toMatchObject({
        known: true,
        methods: [{ kind: "passkey", name: "Key" }],
        twoFactor: true,
      });
    });
  });

  describe("a mistyped address, which nobody confirmed", () => {
    async function mistyped() {
      const person = await signUp(server, { email: freshEmail("mistyped") });
      await signIn(server, person, UA.firefoxWindows);
      const notMe = await linkTo(person.email, "/not-me");
      const right = freshEmail("right");
      await askForChange(person, right);
      expectNoContent(await confirmAt(person.client, right));
      return { person, right, notMe };
    }

    test("gets no link that takes the account back, neither when the change is requested nor afterwards", async () => {
      const { person } = await mistyped();
      await server.latchkey.parts.mailer.settled();
      const emails = await server.outbox.to(person.email);
      expect(emails.length).toBeGreaterThanOrEqual(3);
      for (const email of emails) expect(email.text).not.toContain("/keep-email");
    });

    test("can be signed up with at once by its real owner", async () => {
      const { person, right } = await mistyped();
      const owner = await signUp(server, { email: person.email });
      expect(owner.account.id).not.toBe(person.account.id);
      expect(need(await person.client.get("/api/session"), "account").email).toBe(right);
    });

    test("gives no access by links that were emailed to it before", async () => {
      const { person, notMe } = await mistyped();
      expectRefusal(await server.client().post("/api/not-me", { token: notMe }), 410, "link_expired");
      const verify = await linkTo(person.email, "/confirm-email");
      expectRefusal(
        await server.client().post("/api/email-confirmations", { token: verify }),
        410,
        "link_expired",
      );
      await expectSignedIn(person.client);
    });
  });

  describe("the confirmation of a new account, in a browser that it doesn't know", () => {
    async function prepared() {
      const attacker = await stranger();
      const passkey = await addPasskey(server, attacker.client);
      await sites.connect(attacker.client, "plain", subject());
      const { secret, recoveryCodes } = await turnOnTwoFactor(server, attacker);
      await later();
      return { attacker, passkey, secret, recoveryCodes };
    }

    test("says what it would confirm, and changes nothing by that", async () => {
      const { attacker } = await prepared();
      const owner = server.client(UA.safariMac);
      const seen = await preview(owner, attacker.email);
      expect(seen).toEqual({
        kind: "new_account",
        email: attacker.email,
        createdAt: attacker.account.createdAt,
        label: "Chrome on Mac OS",
        twoFactor: true,
        methods: [
          { kind: "passkey", name: "Key" },
          { kind: "oidc", name: "Plain" },
        ],
        known: false,
      });
      expect((await preview(attacker.client, attacker.email)).known).toBe(true);
      expect(need(await attacker.client.get("/api/session"), "account").emailVerified).toBe(false);
      const wrong = { token: "x".repeat(43) };
      expectRefusal(await owner.post("/api/email-confirmations/preview", wrong), 410, "link_expired");
    });

    test('"This is my account" makes 2FA the owner\'s: every later reset still asks for its code', async () => {
      const { attacker: owner, passkey, secret } = await prepared();
      expectNoContent(await confirmAt(server.client(UA.safariMac), owner.email, { mine: true }));
      await later();
      const email = await reset(owner.email);
      expect(email).toContain('"Key", "Plain"');
      expect(email).not.toContain("two-factor");
      await expectUseless(passkey);
      const person = { email: owner.email, password: OTHER_PASSWORD };
      server.clock.advance(60 * SECOND);
      await signInWithCode(server, person, secret, UA.safariMac);
      await later();
      await reset(owner.email);
      expectStatus(202, await trySignIn(server.client(), person));
    });

    test("what is added after the answer stays", async () => {
      const { attacker: owner } = await prepared();
      expectNoContent(await confirmAt(server.client(UA.safariMac), owner.email));
      await later();
      server.clock.advance(60 * SECOND);
      const passkey = await addPasskey(server, owner.client);
      await later();
      await reset(owner.email);
      expectStatus(201, await passkeySignIn(server.client(), passkey));
    });

    test('"I didn\'t create it" ends and removes everything, and a reset begins', async () => {
      const { attacker, passkey, secret, recoveryCodes } = await prepared();
      const second = await signInWithCode(server, attacker, secret, UA.firefoxWindows);
      const owner = server.client(UA.safariMac);
      expectNoContent(await confirmAt(owner, attacker.email, { mine: false }));
      for (const client of [attacker.client, second.client]) await expectSignedOut(client, "reported");
      await expectUseless(passkey);
      const { email } = attacker;
      expectRefusal(
        await trySignIn(server.client(), { email, password: PASSWORD }),
        401,
        "wrong_credentials",
      );
      const token = await linkTo(email, "/reset-password");
      expectNoContent(await owner.put("/api/password-resets", { token, password: OTHER_PASSWORD }));
      const { client } = await signIn(server, { email, password: OTHER_PASSWORD }, owner);
      expect(need(await client.get("/api/session"), "account")).toMatchObject({
        id: attacker.account.id,
        emailVerified: true,
        twoFactor: false,
      });
      expect(need(await client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
      expect(recoveryCodes).toHaveLength(10);
    });

    test("is answered once: the other answer with the same link comes too late", async () => {
      const { attacker } = await prepared();
      const token = await linkTo(attacker.email, "/confirm-email");
      const owner = server.client(UA.safariMac);
      expectNoContent(await owner.post("/api/email-confirmations", { token, mine: true }));
      const late = await owner.post("/api/email-confirmations", { token, mine: false });
      expectRefusal(late, 410, "link_expired");
      await expectSignedIn(attacker.client);
    });

    test.each([
      ["was confirmed", () => ({ email_verified_at: 1 })],
      ["isn't the account's any more", () => ({ email_key: freshEmail("other") })],
    ])("comes too late if the address %s, though its link was left", async (_, settled) => {
      for (const mine of [true, false]) {
        const { account, client, email } = await stranger();
        const token = await linkTo(email, "/confirm-email");
        await server.latchkey.parts.database.write(({ query }) =>
          query.updateTable("account").set(settled()).where("id", "=", account.id).execute(),
        );
        const late = await server.client().post("/api/email-confirmations", { token, mine });
        expectRefusal(late, 410, "link_expired");
        await expectSignedIn(client);
      }
    });

    test("accepts true or false, and nothing else", async () => {
      const { attacker } = await prepared();
      for (const mine of ["false", 0, null]) {
        const token = await linkTo(attacker.email, "/confirm-email");
        const answer = await server.client().post("/api/email-confirmations", { token, mine });
        expectRefusal(answer, 422, "invalid_input");
        expect(answer.body.field).toBe("mine");
      }
      await expectSignedIn(attacker.client);
    });
  });
});
