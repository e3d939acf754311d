import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Sites } from "../login-methods/ways.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import {
  addPasskey,
  creationOptions,
  passkeySignIn,
  signInOptions,
} from "../support/login-methods/passkeys.ts";
import { SoftwareAuthenticator } from "../support/login-methods/software-authenticator.ts";
import { codeAt, wrongCodeAt } from "../support/login-methods/totp.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectRefusalAfterProof,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signInWithCode,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const METHODS = "/api/account/login-methods";
const PROOF = "/api/session/proof";
const TWO_FACTOR = "/api/account/two-factor";

/** What needs both factors if 2FA is on, each with the body it takes besides the proof. */
const CHANGES: Record<string, (client: Client, passkeyId: string, proof?: object) => Promise<Answer>> = {
  "another address": (client, _id, proof) =>
    client.put("/api/account/email", { email: freshEmail("new"), currentPassword: PASSWORD, ...proof }),
  "a new passkey": (client) => client.post("/api/passkeys/options"),
  "a new site": (client) => client.post("/api/oidc/plain/start", { intent: "connect" }),
  "a login method less": (client, passkeyId) => client.delete(`${METHODS}/${passkeyId}`),
  "the end of the account": (client, _id, proof) =>
    client.delete("/api/account", { currentPassword: PASSWORD, ...proof }),
  "the end of 2FA": (client, _id, proof) =>
    client.delete(TWO_FACTOR, { currentPassword: PASSWORD, ...proof }),
  "new recovery codes": (client, _id, proof) =>
    client.post(`${TWO_FACTOR}/recovery-codes`, { currentPassword: PASSWORD, ...proof }),
};
const ASKS_FOR_CODE = ["the end of 2FA", "new recovery codes"];

describeOnEachEngine("How much a session has proved", (engine) => {
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

  const codeNow = (secret: string, steps = 0) => codeAt(secret, server.clock.now(), steps);

  /** Someone with a password, a passkey and 2FA, who has proved nothing for a while. */
  async function protectedPerson() {
    const person = await signUp(server);
    await verifyEmail(server, person);
    const authenticator = await addPasskey(server, person.client);
    const twoFactor = await turnOnTwoFactor(server, person);
    const methods = need(await person.client.get(METHODS), "methods");
    const passkeyId = methods.find(({ kind }) => kind === "passkey")?.id ?? "";
    server.clock.advance(11 * MINUTE);
    return { person, authenticator, passkeyId, ...twoFactor };
  }

  async function stateOf(client: Client) {
    const account = need(await client.get("/api/session"), "account");
    return { account, methods: need(await client.get(METHODS), "methods").map(({ id }) => id) };
  }

  const mayAddPasskey = async (client: Client) => (await client.post("/api/passkeys/options")).status === 200;

  describe("a stolen cookie and the password, if 2FA is on, are not enough for", () => {
    test.each(Object.entries(CHANGES))("%s; with the code they are", async (name, change) => {
      const { person, passkeyId, secret } = await protectedPerson();
      const before = await stateOf(person.client);
      const thief = server.client(UA.firefoxWindows);
      thief.token = person.client.token;
      expectRefusalAfterProof(await thief.post(PROOF, { currentPassword: PASSWORD }), 422, "wrong_code");
      const refused = await change(thief, passkeyId);
      if (ASKS_FOR_CODE.includes(name)) expectRefusalAfterProof(refused, 422, "wrong_code");
      else {
        expect(refused.body, refused.text).toMatchObject({
          status: 403,
          code: "proof_needed",
          methods: ["password", "passkey"],
        });
      }
      expect(await stateOf(thief)).toEqual(before);
      const code = codeNow(secret);
      if (change.length < 3) expectNoContent(await thief.post(PROOF, { currentPassword: PASSWORD, code }));
      expect((await change(thief, passkeyId, { code })).status).toBeLessThan(300);
    });

    test("the last step of what was begun in time: a passkey, a site", async () => {
      const { person, secret } = await protectedPerson();
      const { client } = await signInWithCode(server, person, secret);
      server.clock.advance(9 * MINUTE);
      const options = await creationOptions(client);
      const begun = expectStatus(200, await client.post("/api/oidc/plain/start", { intent: "connect" }));
      const before = await stateOf(client);
      const proof = expectStatus(422, await client.post(PROOF, { currentPassword: PASSWORD }));
      expect(proof.body.code).toBe("wrong_code");
      server.clock.advance(MINUTE);
      const passkey = new SoftwareAuthenticator(server.baseUrl).create(options);
      expectRefusal(await client.post("/api/passkeys", { passkey }), 403, "proof_needed");
      const landed = await sites.finish(client, JSON.parse(begun.text).url, "plain", person.account.id);
      expect(landed).toContain("error=");
      expect(await stateOf(client)).toEqual(before);
    });
  });

  describe("both factors count for ten minutes from", () => {
    const WAYS: Record<string, (its: Awaited<ReturnType<typeof protectedPerson>>) => Promise<Client>> = {
      "a sign-in with the password and a code": async ({ person, secret }) =>
        (await signInWithCode(server, person, secret)).client,
      "a sign-in with a passkey that verified its owner": async ({ authenticator }) => {
        const client = server.client(UA.firefoxLinux);
        expectStatus(201, await passkeySignIn(client, authenticator));
        return client;
      },
      "a sign-in with a passkey that was only touched, and a code": async ({ authenticator, secret }) => {
        const client = server.client(UA.firefoxLinux);
        expectStatus(202, await passkeySignIn(client, authenticator, { userVerified: false }));
        expectStatus(201, await client.post("/api/session/two-factor", { code: codeNow(secret) }));
        return client;
      },
      "a proof with the password and a code": async ({ person: { client }, secret }) => {
        expectNoContent(await client.post(PROOF, { currentPassword: PASSWORD, code: codeNow(secret) }));
        return client;
      },
      "a proof with the password and a recovery code": async ({ person: { client }, recoveryCodes }) => {
        const body = { currentPassword: PASSWORD, recoveryCode: recoveryCodes[0] };
        expectNoContent(await client.post(PROOF, body));
        return client;
      },
      "a proof with a passkey that verified its owner": async ({ person: { client }, authenticator }) => {
        const passkey = authenticator.get(await signInOptions(client));
        expectNoContent(await client.post(PROOF, { passkey }));
        return client;
      },
      "a proof with a passkey that was only touched, and a code": async (its) => {
        const { client } = its.person;
        const passkey = its.authenticator.get(await signInOptions(client), { userVerified: false });
        expectRefusalAfterProof(await client.post(PROOF, { passkey }), 422, "wrong_code");
        expect(await mayAddPasskey(client)).toBe(false);
        expectNoContent(await client.post(PROOF, { code: codeNow(its.secret) }));
        return client;
      },
      "a proof with a passkey that was only touched, and a code beside it": async (its) => {
        const { client } = its.person;
        const passkey = its.authenticator.get(await signInOptions(client), { userVerified: false });
        expectNoContent(await client.post(PROOF, { passkey, code: codeNow(its.secret) }));
        return client;
      },
      "a code beside the current password of an email change": async ({ person: { client }, secret }) => {
        const body = { email: freshEmail("new"), currentPassword: PASSWORD, code: codeNow(secret) };
        expectStatus(202, await client.put("/api/account/email", body));
        return client;
      },
    };

    test.each(Object.entries(WAYS))("%s", async (_name, prove) => {
      const its = await protectedPerson();
      expect(await mayAddPasskey(its.person.client)).toBe(false);
      const client = await prove(its);
      server.clock.advance(9 * MINUTE);
      expect(await mayAddPasskey(client)).toBe(true);
      server.clock.advance(MINUTE);
      const refused = await client.post("/api/passkeys/options");
      expectRefusal(refused, 403, "proof_needed");
      expect(refused.body.methods).toEqual(["password", "passkey"]);
    });

    test("turning 2FA on, for the session that did it and no other", async () => {
      const person = await signUp(server);
      const { client } = await signIn(server, person, UA.firefoxWindows);
      const other = await signIn(server, person, UA.firefoxLinux);
      await turnOnTwoFactor(server, { ...person, client });
      expect(await mayAddPasskey(client)).toBe(true);
      for (const one of [person.client, other.client]) expect(await mayAddPasskey(one)).toBe(false);
      server.clock.advance(10 * MINUTE);
      expect(await mayAddPasskey(client)).toBe(false);
    });

    test("the older of the two, if a code comes after the first factor", async () => {
      const { person, secret } = await protectedPerson();
      const { client } = person;
      expectRefusalAfterProof(await client.post(PROOF, { currentPassword: PASSWORD }), 422, "wrong_code");
      server.clock.advance(6 * MINUTE);
      expectNoContent(await client.post(PROOF, { code: codeNow(secret) }));
      expect(await mayAddPasskey(client)).toBe(true);
      server.clock.advance(4 * MINUTE);
      expect(await mayAddPasskey(client)).toBe(false);
      expectRefusal(await client.post(PROOF, { code: codeNow(secret) }), 403, "proof_needed");
    });

    test("a proof at a site: one factor, so a code follows; both where a trusted site says so", async () => {
      const { person, secret } = await protectedPerson();
      const { client } = await signInWithCode(server, person, secret);
      for (const site of ["plain", "trusted-mfa"] as const)
        await sites.connect(client, site, person.account.id);
      const proveAt = async (site: "plain" | "trusted-mfa") => {
        server.clock.advance(11 * MINUTE);
        const { token } = client;
        const begun = expectStatus(200, await client.post(`/api/oidc/${site}/start`, { intent: "prove" }));
        const { url } = JSON.parse(begun.text);
        expect(await sites.finish(client, url, site, person.account.id)).toContain("proved=1");
        expect(client.token).not.toBe(token);
      };
      await proveAt("plain");
      expect(await mayAddPasskey(client)).toBe(false);
      expectNoContent(await client.post(PROOF, { code: codeNow(secret) }));
      expect(await mayAddPasskey(client)).toBe(true);
      await proveAt("trusted-mfa");
      expect(await mayAddPasskey(client)).toBe(true);
    });
  });

  describe("a proof", () => {
    test("checks the password first, then the code, and counts what was right", async () => {
      const { person, secret } = await protectedPerson();
      const { client } = person;
      const wrong = wrongCodeAt(secret, server.clock.now());
      expectRefusal(await client.post(PROOF, {}), 422, "invalid_input");
      expectRefusal(await client.post(PROOF, { code: codeNow(secret) }), 403, "proof_needed");
      const neither = { currentPassword: WRONG_PASSWORD, code: wrong };
      expectRefusal(await client.post(PROOF, neither), 403, "wrong_password");
      const half = { currentPassword: PASSWORD, code: wrong };
      expectRefusalAfterProof(await client.post(PROOF, half), 422, "wrong_code");
      expect(await mayAddPasskey(client)).toBe(false);
      expectNoContent(await client.post(PROOF, { ...half, code: codeNow(secret) }));
      expectRefusalAfterProof(
        await client.post(PROOF, { ...half, code: codeNow(secret) }),
        422,
        "wrong_code",
      );
    });

    test("is the password alone if 2FA is off, and a code alone is none", async () => {
      const { client } = await signUp(server);
      server.clock.advance(11 * MINUTE);
      const codeAlone = await client.post(PROOF, { code: "123456" });
      expectRefusal(codeAlone, 422, "invalid_input");
      expect(codeAlone.body.field).toBe("currentPassword");
      expectRefusal(await client.post("/api/passkeys/options"), 403, "proof_needed");
      expectNoContent(await client.post(PROOF, { currentPassword: PASSWORD, code: "123456" }));
      expect(await mayAddPasskey(client)).toBe(true);
    });
  });

  test("the password is changed with the current password alone, 2FA or not", async () => {
    const { person } = await protectedPerson();
    const body = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expectNoContent(await person.client.put("/api/account/password", body));
    await expectSignedIn(person.client);
  });

  test("a first password is a new way in: with 2FA on it needs both factors", async () => {
    const client = server.client();
    const sub = randomBytes(8).toString("hex");
    await sites.signIn(client, "plain", sub, { email: freshEmail(), email_verified: true });
    const { secret } = JSON.parse(expectStatus(201, await client.post(TWO_FACTOR)).text);
    expectStatus(200, await client.put(TWO_FACTOR, { code: codeNow(secret, -1) }));
    server.clock.advance(11 * MINUTE);
    const begun = expectStatus(200, await client.post("/api/oidc/plain/start", { intent: "prove" }));
    await sites.finish(client, JSON.parse(begun.text).url, "plain", sub);
    const change = () => client.put("/api/account/password", { newPassword: PASSWORD });
    expectRefusal(await change(), 403, "proof_needed");
    expectRefusal(await client.put("/api/account/email", { email: freshEmail() }), 403, "proof_needed");
    const withCode = { email: freshEmail(), code: codeNow(secret) };
    expectStatus(202, await client.put("/api/account/email", withCode));
    expectNoContent(await change());
  });

  test("2FA that was begun is turned on with a proof of the last ten minutes", async () => {
    const { client } = await signUp(server);
    const begun = expectStatus(201, await client.post(TWO_FACTOR, { currentPassword: PASSWORD }));
    server.clock.advance(10 * MINUTE);
    const turnOn = () => client.put(TWO_FACTOR, { code: codeNow(need(begun, "secret")) });
    expectRefusal(await turnOn(), 403, "proof_needed");
    expectNoContent(await client.post(PROOF, { currentPassword: PASSWORD }));
    expectStatus(200, await turnOn());
  });

  test("turning on 2FA that is already on says so after a right password", async () => {
    const { person } = await protectedPerson();
    const body = { currentPassword: PASSWORD };
    expectRefusalAfterProof(await person.client.post(TWO_FACTOR, body), 409, "already_on");
  });

  describe("a right current password renews the session's token, whatever the answer is:", () => {
    const currentPassword = PASSWORD;
    const BODIES: [string, number, (client: Client, email: string) => Promise<Answer>][] = [
      ["204 a proof", 204, (client) => client.post(PROOF, { currentPassword })],
      [
        "204 a new password",
        204,
        (client) => client.put("/api/account/password", { currentPassword, newPassword: OTHER_PASSWORD }),
      ],
      [
        "422 a weak new password",
        422,
        (client) => client.put("/api/account/password", { currentPassword, newPassword: "short" }),
      ],
      [
        "202 another address",
        202,
        (client) => client.put("/api/account/email", { email: freshEmail(), currentPassword }),
      ],
      [
        "422 the same address",
        422,
        (client, email) => client.put("/api/account/email", { email, currentPassword }),
      ],
      ["201 the beginning of 2FA", 201, (client) => client.post(TWO_FACTOR, { currentPassword })],
      ["409 the end of 2FA that is off", 409, (client) => client.delete(TWO_FACTOR, { currentPassword })],
    ];

    test.each(BODIES)("%s", async (_name, status, send) => {
      const { client, email } = await signUp(server);
      const live = await client.live();
      const before = client.token;
      expectStatus(status, await send(client, email));
      expect(client.token).not.toBe(before);
      await expectSignedIn(client);
      const old = server.client();
      old.token = before;
      await expectSignedOut(old, "none");
      live.close();
    });

    test("5xx for a failure after it", async () => {
      const own = await startServer({ engine, rateLimits: "off" });
      const { client } = await signUp(own);
      const before = client.token;
      const breaking = "alter table emailed_link rename to mailed_link_away";
      if (engine.name === "postgres") await own.database.read(breaking);
      else {
        const file = new DatabaseSync(own.database.url.replace("sqlite:", ""));
        file.exec(breaking);
        file.close();
      }
      const body = { email: freshEmail(), currentPassword };
      expect((await client.put("/api/account/email", body)).status).toBeGreaterThanOrEqual(500);
      expect(client.token).not.toBe(before);
      await expectSignedIn(client);
      await own.close();
    });

    test("but a closed account leaves no cookie, and a wrong or missing password changes nothing", async () => {
      const { client } = await signUp(server);
      const { token } = client;
      expectRefusal(
        await client.delete("/api/account", { currentPassword: WRONG_PASSWORD }),
        403,
        "wrong_password",
      );
      const missing = await client.delete("/api/account", {});
      expectRefusal(missing, 422, "invalid_input");
      expect(missing.body.field).toBe("currentPassword");
      expect(client.token).toBe(token);
      expectNoContent(await client.delete("/api/account", { currentPassword }));
      expect(client.token).toBe("");
    });
  });
});
