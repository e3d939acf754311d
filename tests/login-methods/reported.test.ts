import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, passkeySignIn } from "../support/login-methods/passkeys.ts";
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
  signIn,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

describeOnEachEngine("A session that its owner reports", (engine) => {
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

  test("keeps 2FA, whoever turned it on: a mailbox alone can't take it off", async () => {
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

    test("who signed in once more in the same browser is out as well, and what was added there is gone", async () => {
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

    test("a thief who comes again with the password, before it is reset, is news again", async () => {
      const { owner, thief, link } = await withDevices();
      const before = await server.outbox.withSubject(owner.email, newSignIn);
      await say(link);
      await signIn(server, owner, thief);
      await expect
        .poll(async () => (await server.outbox.withSubject(owner.email, newSignIn)).file)
        .not.toBe(before.file);
    });
  });

  test("leaves a sign-up's own first method, for the account was made with it", async () => {
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
