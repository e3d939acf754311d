import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOnEachEngine, type TestDatabase } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import { need } from "../support/requests/answers.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import {
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  resetToken,
  signIn,
  signUp,
  signUpConfirmed,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { type ServerOptions, startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

const METHODS = "/api/account/login-methods";

describeOnEachEngine("A login method that the settings no longer allow", (engine) => {
  let sites: Sites;
  let database: TestDatabase;
  beforeAll(async () => {
    sites = await Sites.start();
    database = await engine.createDatabase();
  });
  afterAll(async () => {
    sites.stop();
    await database.drop();
  });

  const secretKey = "5a".repeat(32);
  const start = (options: Partial<ServerOptions> = {}) =>
    startServer({ engine, database, secretKey, rateLimits: "off", oidc: sites.options, ...options });

  /** The same person, at a server that was restarted. */
  async function restarted(
    person: Person,
    options: Partial<ServerOptions>,
  ): Promise<{
    server: TestServer;
    client: Person["client"];
  }> {
    const server = await start(options);
    const client = server.client();
    client.token = person.client.token;
    return { server, client };
  }

  const withoutPlain = () => sites.options.filter(({ id }) => id !== "plain");

  async function emailAfterReset(server: TestServer, { email }: Person): Promise<string> {
    const token = await resetToken(server, email);
    const body = { token, password: OTHER_PASSWORD };
    expectNoContent(await server.client().put("/api/password-resets", body));
    return (await server.outbox.withSubject(email, "Your password was reset")).text;
  }

  test.each([
    ["taken out", () => withoutPlain()],
    [
      "another site by the same name",
      () =>
        sites.options.map((one) => (one.id === "plain" ? { ...one, issuer: `${one.issuer}-other` } : one)),
    ],
    [
      "present under another name",
      () => sites.options.map((one) => (one.id === "plain" ? { ...one, id: "plainer" } : one)),
    ],
  ])(
    "is none of those that work: a site that is %s leaves the password as the last (S15)",
    async (_, oidc) => {
      const first = await start();
      const person = await signUp(first);
      await verifyEmail(first, person);
      await sites.connect(person.client, "plain", person.account.id);
      expect(need(await person.client.get(METHODS), "needed")).toEqual([]);
      await first.close();

      const { server, client } = await restarted(person, { oidc: oidc() });
      const answer = await client.get(METHODS);
      expect(need(answer, "methods").map(({ kind }) => kind)).toEqual(["password", "oidc"]);
      expect(need(answer, "needed")).toEqual(["password"]);
      expectRefusal(await client.delete(`${METHODS}/password`), 409, "last_login_method");
      const site = need(answer, "methods").find(({ kind }) => kind === "oidc");
      server.clock.advance(10 * MINUTE);
      const refused = await client.delete(`${METHODS}/${site?.id}`);
      expectRefusal(refused, 403, "proof_needed");
      expect(refused.body.methods).toEqual(["password"]);
      expectNoContent(await client.post("/api/session/proof", { currentPassword: PASSWORD }));
      expectNoContent(await client.delete(`${METHODS}/${site?.id}`));
      await server.close();
    },
  );

  test("isn't the owner's either: a reset removes a site that is no longer in the settings, and the email names it", async () => {
    const first = await start();
    const attacker = await signUp(first);
    await sites.connect(attacker.client, "plain", attacker.account.id);
    await first.close();

    const { server } = await restarted(attacker, { oidc: withoutPlain() });
    const text = await emailAfterReset(server, attacker);
    expect(text).toContain('was removed, since it may be someone else\'s: "plain".');
    const owner = await signIn(server, { ...attacker, password: OTHER_PASSWORD }, UA.safariMac);
    const methods = need(await owner.client.get(METHODS), "methods");
    expect(methods.map(({ kind }) => kind)).toEqual(["password"]);
    await server.close();
  });

  test("isn't named as one that can still be used, if it stays after a reset", async () => {
    const first = await start();
    const person = await signUpConfirmed(first);
    await sites.connect(person.client, "plain", person.account.id);
    expect(await emailAfterReset(first, person)).toContain('can still be used to log in: "Plain".');
    await first.close();

    const { server } = await restarted(person, { oidc: withoutPlain() });
    const text = await emailAfterReset(server, person);
    expect(text).not.toContain("can still be used");
    expect(text).not.toContain("was removed");
    await server.close();
  });

  test("a passkey beside a password whose address isn't confirmed counts as the last method, and the list says so", async () => {
    const server = await start();
    const person = await signUp(server);
    await addPasskey(server, person.client);
    const answer = await person.client.get(METHODS);
    const passkey = need(answer, "methods").find(({ kind }) => kind === "passkey");
    expect(need(answer, "needed")).toEqual([passkey?.id]);
    expectRefusal(await person.client.delete(`${METHODS}/${passkey?.id}`), 409, "last_login_method");
    await verifyEmail(server, person);
    expect(need(await person.client.get(METHODS), "needed")).toEqual([]);
    expectNoContent(await person.client.delete(`${METHODS}/${passkey?.id}`));
    await server.close();
  });

  test("an issuer with a slash at its end is the same site as without one", async () => {
    const slash = sites.options.map((one) => ({ ...one, issuer: `${one.issuer}/` }));
    const first = await start();
    const person = await signUp(first);
    await sites.connect(person.client, "plain", person.account.id);
    await verifyEmail(first, person);
    await first.close();
    const { server, client } = await restarted(person, { oidc: slash });
    expect(need(await client.get(METHODS), "needed")).toEqual([]);
    expectNoContent(await client.delete(`${METHODS}/password`));
    await server.close();
  });
});
