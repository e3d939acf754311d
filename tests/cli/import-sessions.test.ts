import { createHash, createHmac, randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findForOperator, unsuspend } from "../../src/operator.ts";
import { describeOnEachEngine, engineOf } from "../support/databases/engines.ts";
import { everythingIn, importReport, jsonLines, otherSystems } from "../support/databases/imports.ts";
import {
  AUTH_JS_TABLES,
  BETTER_AUTH_TABLES,
  betterAuthId,
  betterAuthSession,
  betterAuthUser,
  OldSystem,
} from "../support/databases/old-systems.ts";
import { need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY } from "../support/requests/clock.ts";
import { parseSetCookie } from "../support/requests/cookie-jar.ts";
import { expectRefusal, expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  listOf,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signUp,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer, type TestServer } from "../support/servers/server.ts";

const COOKIE = "authjs.session-token";
const FAR = "2100-01-01T00:00:00.000Z";

describeOnEachEngine("Sessions of another system", (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine, importedCookie: COOKIE });
  });
  afterAll(() => server.close());

  /** A browser as the old system left it: with the old system's cookie, and none of Latchkey's. */
  function oldBrowser(value: string, userAgent?: string, at = server): Client {
    const client = at.client(userAgent);
    client.jar.set(COOKIE, value);
    return client;
  }

  type Person = { email: string; tokens: string[]; browsers: Client[] };

  /** Someone who is imported with a password and sessions in these browsers, the newest first. */
  async function moveIn(userAgents: string[] = [UA.chromeMac], more: object = {}): Promise<Person> {
    const email = freshEmail();
    const tokens = userAgents.map(() => randomUUID());
    const sessions = userAgents.map((userAgent, at) => ({
      token: tokens[at],
      userAgent,
      createdAt: Date.now() - (at + 1) * DAY,
      expiresAt: FAR,
    }));
    const passwordHash = otherSystems.argon2id?.(PASSWORD);
    const file = await jsonLines(server, [{ email, passwordHash, sessions, ...more }]);
    const report = await importReport(server, ["--from", "json-lines", file]);
    expect(report).toMatchObject({ accounts: 1, sessions: tokens.length });
    return { email, tokens, browsers: tokens.map((token, at) => oldBrowser(token, userAgents[at])) };
  }

  async function only(person: Promise<Person>) {
    const { email, tokens, browsers } = await person;
    const [token = ""] = tokens;
    const [client = oldBrowser(token)] = browsers;
    return { email, token, client };
  }

  test("go on: the old cookie lets the browser in, and is exchanged for Latchkey's own at once", async () => {
    const { email, token, client } = await only(moveIn());
    const answer = expectStatus(200, await client.get("/api/session"));
    expect(need(answer, "account").email).toBe(email);
    expect(need(answer, "session")).toMatchObject({ label: "Chrome on Mac OS", current: true });
    const [own] = answer.setCookies.map(parseSetCookie);
    expect(own?.value).toMatch(/^lk1_[A-Za-z0-9_-]{43}$/);
    expect([...(own?.attributes.keys() ?? [])]).toEqual(["max-age", "path", "httponly", "samesite"]);

    client.jar.delete(COOKIE);
    const later = expectStatus(200, await client.get("/api/session"));
    expect(later.setCookies).toEqual([]);
    expect(need(later, "session").id).toBe(need(answer, "session").id);
    expect(await listOf(client)).toHaveLength(1);
    const tables = await everythingIn(server);
    expect(tables).not.toContain(token);
    expect(tables).not.toContain(createHash("sha256").update(token).digest("hex"));
  });

  test("of better-auth go on by its signed cookie", async () => {
    const old = await OldSystem.create(engine, BETTER_AUTH_TABLES);
    const token = betterAuthId();
    await betterAuthSession(old, await betterAuthUser(old, freshEmail()), { token });
    await importReport(server, ["--from", "better-auth", old.place]);
    const signature = createHmac("sha256", "the old secret").update(token).digest("base64");
    await expectSignedIn(oldBrowser(encodeURIComponent(`${token}.${signature}`)));
    await old.drop();
  });

  test("of Auth.js go on", async () => {
    const old = await OldSystem.create(engine, AUTH_JS_TABLES);
    const sessionToken = randomUUID();
    await old.insert("users", { id: 1, email: freshEmail(), emailVerified: FAR });
    await old.insert("sessions", { userId: 1, expires: FAR, sessionToken });
    await importReport(server, ["--from", "auth-js", old.place]);
    await expectSignedIn(oldBrowser(sessionToken));
    await old.drop();
  });

  test("pages and a proxy's check accept them, and exchange the cookie, too", async () => {
    for (const [path, status] of [
      ["/settings/security", 200],
      ["/login", 302],
      ["/", 302],
      ["/verify", 204],
    ] as const) {
      const { client } = await only(moveIn());
      const answer = expectStatus(status, await client.get(path));
      expect(answer.setCookies, path).toHaveLength(1);
      client.jar.delete(COOKIE);
      await expectSignedIn(client);
    }
  });

  test("get Latchkey's cookie from the passkey options for a new account, too", async () => {
    const { client } = await only(moveIn());
    const answer = await client.post("/api/passkeys/options", { email: freshEmail() });
    const names = expectStatus(200, answer).setCookies.map((line) => parseSetCookie(line).name);
    expect(names).toContain("latchkey");
  });

  test("let requests in that are sent at the same time, or whose answers never arrived", async () => {
    const { token } = await only(moveIn());
    const answers = await Promise.all(Array.from({ length: 6 }, () => oldBrowser(token).get("/api/session")));
    const ids = answers.map((answer) => need(expectStatus(200, answer), "session").id);
    expect(new Set(ids).size).toBe(1);
  });

  test("are accepted by the app around Latchkey", async () => {
    const { email, token } = await only(moveIn());
    const request = new Request(server.baseUrl, { headers: { cookie: `${COOKIE}=${token}` } });
    expect(await server.latchkey.authenticate(request)).toMatchObject({ account: { email } });
  });

  test("end like any other: the old cookie is refused, and its holder is told why", async () => {
    const { email, client, token } = await only(moveIn());
    const { client: other } = await signIn(server, { email, password: PASSWORD }, UA.firefoxWindows);
    expectStatus(200, await other.delete("/api/sessions"));
    const told = await expectSignedOut(client, "signed_out_remotely");
    expect(told.body.by).toBe("Firefox on Windows");
    const refused = await oldBrowser(token).get("/settings/security");
    expect(refused).toMatchObject({ status: 302, setCookies: [] });
  });

  test("of a suspended account stay out, and the old cookie stays refused once the account is restored", async () => {
    const [email, token] = [freshEmail(), randomUUID()];
    const account = { email, suspended: true, passwordHash: otherSystems.argon2id?.(PASSWORD) };
    const file = await jsonLines(server, [{ ...account, sessions: [{ token, expiresAt: FAR }] }]);
    const report = await importReport(server, ["--from", "json-lines", file]);
    expect(report).toMatchObject({ accounts: 1, sessions: 0 });
    const client = oldBrowser(token);
    await expectSignedOut(client, "none");
    const { parts } = server.latchkey;
    const found = await findForOperator(parts, email);
    if (!found.ok) throw new Error("The account isn't there.");
    await unsuspend(parts, found.account);
    await expectSignedOut(client, "none");
    await signIn(server, { email, password: PASSWORD }, UA.firefoxWindows);
  });

  test("of an account that was closed here don't come back if the account is imported again", async () => {
    const [email, token] = [freshEmail(), randomUUID()];
    const account = { email, passwordHash: otherSystems.argon2id?.(PASSWORD) };
    const file = await jsonLines(server, [{ ...account, sessions: [{ token, expiresAt: FAR }] }]);
    const from = ["--from", "json-lines", file];
    expect(await importReport(server, from)).toMatchObject({ accounts: 1, sessions: 1 });
    const client = oldBrowser(token);
    await expectSignedIn(client);
    const { client: closing } = await signIn(server, { email, password: PASSWORD }, UA.firefoxWindows);
    expectStatus(204, await closing.delete("/api/account", { currentPassword: PASSWORD }));
    expect(await importReport(server, from)).toMatchObject({ accounts: 1, sessions: 0 });
    await expectSignedOut(oldBrowser(token), "account_closed");
    await signIn(server, { email, password: PASSWORD }, UA.firefoxWindows);
  });

  test("with one token belong to the account that came first, and the report says so", async () => {
    const [token, first] = [randomUUID(), freshEmail()];
    const sessions = [{ token, expiresAt: FAR }];
    const lines = [first, freshEmail()].map((email) => ({ email, sessions }));
    const file = await jsonLines(server, lines);
    const report = await importReport(server, ["--from", "json-lines", file]);
    expect(report).toMatchObject({ accounts: 2, sessions: 1, code: 0 });
    const why = "Its token is also that of a session of line 1, which came first.";
    expect(report.leftOut).toEqual([{ where: "line 2", what: "session", why }]);
    expect(need(await oldBrowser(token).get("/api/session"), "account").email).toBe(first);
    const again = await jsonLines(server, [{ email: freshEmail(), sessions }]);
    expect((await importReport(server, ["--from", "json-lines", again])).leftOut).toEqual([
      { where: "line 1", what: "session", why: "Its token was imported before." },
    ]);
  });

  test("can be logged out, and stay out", async () => {
    const { client } = await only(moveIn());
    const done = expectStatus(204, await client.delete("/api/session"));
    expect(done.setCookies).toHaveLength(1);
    expect(client.jar.get("latchkey")).toBeUndefined();
    await expectSignedOut(client, "signed_out");
  });

  test("don't count if the browser has a cookie of Latchkey's, even an expired one", async () => {
    const person = await signUp(server);
    const { token } = await only(moveIn());
    person.client.jar.set(COOKIE, token);
    const answer = expectStatus(200, await person.client.get("/api/session"));
    expect(need(answer, "account").id).toBe(person.account.id);
    const { token: own } = person.client;
    expectStatus(204, await person.client.delete("/api/session"));
    person.client.token = own;
    await expectSignedOut(person.client, "signed_out");
  });

  test("prove nothing recent, and end with a new password except the one that sets it", async () => {
    const { client } = await only(moveIn([UA.chromeMac], { emailVerified: true }));
    const begin = await client.post("/api/passkeys/options");
    expectRefusal(begin, 403, "proof_needed");
    const asked = { currentPassword: OTHER_PASSWORD, newPassword: OTHER_PASSWORD };
    expectRefusal(await client.put("/api/account/password", asked), 403, "wrong_password");
    const changed = await client.put("/api/account/password", { ...asked, currentPassword: PASSWORD });
    expect(expectStatus(204, changed).setCookies).toHaveLength(1);
    await expectSignedIn(client);
    client.jar.delete("latchkey");
    await expectSignedOut(client, "none");
  });

  test("are replaced by the next sign-in from the same browser and system, the newest of several", async () => {
    const { email, browsers } = await moveIn([UA.chromeMac, UA.chromeMac, UA.firefoxWindows]);
    const [newest, older, elsewhere] = browsers as [Client, Client, Client];
    await signIn(server, { email, password: PASSWORD }, UA.chromeMac);
    await expectSignedOut(newest, "replaced");
    await expectSignedIn(older);
    await expectSignedIn(elsewhere);
  });

  test("count from the original sign-in, and end after 30 days here, or earlier as they would have", async () => {
    const [long, soon] = [randomUUID(), randomUUID()];
    const signedInAt = Date.now() - 200 * DAY;
    const sessions = [
      { token: long, createdAt: signedInAt, expiresAt: FAR },
      { token: soon, expiresAt: Date.now() + 2 * DAY },
    ];
    const file = await jsonLines(server, [{ email: freshEmail(), sessions }]);
    await importReport(server, ["--from", "json-lines", file]);
    const session = need(await oldBrowser(long).get("/api/session"), "session");
    expect(session).toMatchObject({
      createdAt: new Date(signedInAt).toISOString(),
      label: "Unknown device",
    });
    const later = await startServer({
      engine,
      database: server.database,
      secretKey: server.secretKey,
      importedCookie: COOKIE,
    });
    await expectSignedIn(oldBrowser(soon, undefined, later));
    later.clock.advance(3 * DAY);
    await expectSignedOut(oldBrowser(soon, undefined, later), "expired");
    await expectSignedIn(oldBrowser(long, undefined, later));
    later.clock.advance(27 * DAY);
    await expectSignedOut(oldBrowser(long, undefined, later), "expired");
    await later.close();
  });

  test("stay out if the setting names no cookie or another one, or if the key is another", async () => {
    const { token } = await only(moveIn());
    const { database, secretKey } = server;
    const otherKey = randomBytes(32).toString("hex");
    for (const options of [
      { secretKey },
      { secretKey, importedCookie: "sid" },
      { secretKey: otherKey, importedCookie: COOKIE },
    ]) {
      const other = await startServer({ engine, database, ...options });
      await expectSignedOut(oldBrowser(token, undefined, other), "none");
      await other.close();
    }
    await expectSignedIn(oldBrowser(token));
  });
});

describe("Another system's cookie", () => {
  const server = serverFor(engineOf("sqlite"), { importedCookie: COOKIE });

  test.each(["", ".", "%", "%E0%A4%A", "x".repeat(3_000), "lk1_", "a.b.c", "a=b"])(
    "with %j in it is refused, and breaks nothing",
    async (value) => {
      const client = server().client();
      client.jar.set(COOKIE, value);
      await expectSignedOut(client, "none");
    },
  );
});
