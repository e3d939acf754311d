import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findForOperator, suspend } from "../../src/operator.ts";
import { Sites } from "../login-methods/ways.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { addPasskey, signInOptions } from "../support/login-methods/passkeys.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  changeAddress,
  changeToken,
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
  signUpConfirmed,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { rightAfter, rightBefore } from "../support/servers/meanwhile.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const METHODS = "/api/account/login-methods";

/** An account, the address to sign in with, and what happens to it. */
type Scene = { email: string; happen: () => Promise<Answer> };

const SCENES: Record<string, (server: TestServer) => Promise<Scene>> = {
  "is reset": async (server) => {
    const { email } = await signUp(server);
    const token = await resetToken(server, email);
    return {
      email,
      happen: () => server.client().put("/api/password-resets", { token, password: OTHER_PASSWORD }),
    };
  },
  "is disconnected": async (server) => {
    const { email, client } = await signUpConfirmed(server);
    await addPasskey(server, client);
    return { email, happen: () => client.delete(`${METHODS}/password`) };
  },
  "has its account moved to another address": async (server) => {
    const person = await signUp(server);
    const token = await changeToken(server, person, freshEmail("new"));
    return { email: person.email, happen: () => person.client.post("/api/email-confirmations", { token }) };
  },
  "has its account taken back by an earlier address": async (server) => {
    const person = await signUpConfirmed(server);
    const email = freshEmail("new");
    await changeAddress(server, person, email);
    const token = await server.outbox.tokenFor(person.email, "/keep-email");
    return { email, happen: () => server.client().post("/api/email-reversals", { token }) };
  },
  "is disowned by the owner of its address": async (server) => {
    const { email } = await signUp(server);
    const token = await server.outbox.tokenFor(email, "/confirm-email");
    const isNotMine = { token, mine: false };
    return { email, happen: () => server.client().post("/api/email-confirmations", isNotMine) };
  },
};

/**
 * What was proved is checked before the transaction that opens the session; here, something happens in
 * between.
 */
describeOnEachEngine("A sign-in whose account changes before its session is opened", (engine) => {
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

  /** Right before or after the transaction with this number, counting from now. */
  async function meanwhile(
    when: typeof rightBefore | typeof rightAfter,
    transaction: number,
    does: () => Promise<unknown>,
  ): Promise<void> {
    // Emails that are still being sent have transactions, too.
    await server.outbox.all();
    when(server.latchkey.parts.database, "write", does, transaction);
  }

  test("is checked against the new password", async () => {
    const person = await signUp(server);
    const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    await meanwhile(rightBefore, 1, async () =>
      expectNoContent(await person.client.put("/api/account/password", change)),
    );
    expectRefusal(await trySignIn(server.client(UA.firefoxWindows), person), 401, "wrong_credentials");
    expect(await listOf(person.client)).toHaveLength(1);
    await signIn(server, { ...person, password: OTHER_PASSWORD }, UA.firefoxWindows);
  });

  test.each(Object.entries(SCENES))("is refused if the password that was right %s", async (_, prepare) => {
    const { email, happen } = await prepare(server);
    rightAfter(server.latchkey.parts.passwords, "verify", async (checked) => {
      expect(checked).toMatchObject({ right: true });
      expectNoContent(await happen());
    });
    const client = server.client(UA.firefoxWindows);
    expectRefusal(await trySignIn(client, { email, password: PASSWORD }), 401, "wrong_credentials");
  });

  test("is asked for the second factor that was turned on", async () => {
    const person = await signUp(server);
    await meanwhile(rightBefore, 1, () => turnOnTwoFactor(server, person));
    const client = server.client(UA.firefoxWindows);
    expectStatus(202, await trySignIn(client, person));
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });

  test("finds no account if that was deleted", async () => {
    const person = await signUp(server);
    const close = () => person.client.delete("/api/account", { currentPassword: PASSWORD });
    await meanwhile(rightBefore, 1, () => close().then(expectNoContent));
    expectRefusal(await trySignIn(server.client(UA.firefoxWindows), person), 401, "wrong_credentials");
  });

  test("is refused if the account was suspended", async () => {
    const person = await signUp(server);
    const { parts } = server.latchkey;
    const found = await findForOperator(parts, person.email);
    if (!found.ok) throw new Error("The account isn't there.");
    await meanwhile(rightBefore, 1, () => suspend(parts, found.account, server.clock.now()));
    for (let time = 0; time < 2; time++) {
      const client = server.client(UA.firefoxWindows);
      expectRefusal(await trySignIn(client, person), 403, "account_suspended");
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
    }
    const wrong = { ...person, password: OTHER_PASSWORD };
    expectRefusal(await trySignIn(server.client(), wrong), 401, "wrong_credentials");
  });

  test.each<[string, (person: Person) => Promise<Answer>]>([
    [
      "whose password is changed",
      ({ client }) =>
        client.put("/api/account/password", { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD }),
    ],
    ["that is deleted", ({ client }) => client.delete("/api/account", { currentPassword: PASSWORD })],
  ])("fails at the second step, despite the right code, for an account %s", async (_, happen) => {
    const person = await signUp(server);
    const { secret } = await turnOnTwoFactor(server, person);
    const half = await halfSignIn(server, person, UA.firefoxWindows);
    await meanwhile(rightBefore, 1, () => happen(person).then(expectNoContent));
    const code = codeAt(secret, server.clock.now());
    expectRefusal(await half.post("/api/session/two-factor", { code }), 401, "sign_in_expired");
    expectRefusal(await half.get("/api/session"), 401, "signed_out");
  });

  /** Someone with another login method besides the password, and how to disconnect it. */
  async function withMethod(kind: string, add: (person: Person) => Promise<unknown>) {
    const person = await signUpConfirmed(server);
    await add(person);
    const methods = need(await person.client.get(METHODS), "methods");
    const path = `${METHODS}/${methods.find((method) => method.kind === kind)?.id}`;
    return { person, disconnect: () => person.client.delete(path).then(expectNoContent) };
  }

  // The second transaction notes that the passkey was used, the third one opens the session.
  test.each([
    ["before", rightBefore, 2],
    ["after", rightAfter, 2],
    ["before", rightBefore, 3],
  ] as const)(
    "isn't opened by a passkey that was disconnected %s transaction $2",
    async (_, when, transaction) => {
      const authenticator = new SoftwareAuthenticator(server.baseUrl);
      const { disconnect } = await withMethod("passkey", ({ client }) =>
        addPasskey(server, client, authenticator),
      );
      const client = server.client(UA.firefoxWindows);
      const passkey = authenticator.get(await signInOptions(client));
      await meanwhile(when, transaction, disconnect);
      expectRefusal(await client.post("/api/session/passkey", { passkey }), 401, "wrong_passkey");
    },
  );

  test("isn't opened by a site that was disconnected", async () => {
    const sub = randomBytes(8).toString("hex");
    const { disconnect } = await withMethod("oidc", ({ client }) => sites.connect(client, "plain", sub));
    const client = server.client(UA.firefoxWindows);
    await meanwhile(rightBefore, 3, disconnect);
    expect(await sites.signIn(client, "plain", sub)).toContain("error=provider_failed");
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });

  test("isn't opened by a site's sign-up whose address someone else took", async () => {
    const email = freshEmail();
    const client = server.client(UA.firefoxWindows);
    await meanwhile(rightBefore, 3, () => signUp(server, { email }));
    const landed = await sites.signIn(client, "plain", randomBytes(8).toString("hex"), { email });
    expect(landed).toContain("error=provider_account_exists");
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });
});
