import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { everythingIn, importReport, otherSystems, runImport } from "../support/databases/imports.ts";
import { AUTH_JS_TABLES, OldSystem } from "../support/databases/old-systems.ts";
import { TestProvider } from "../support/login-methods/provider.ts";
import { header, need } from "../support/requests/answers.ts";
import { freshEmail, PASSWORD, signIn } from "../support/requests/people.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const FROM = ["--from", "auth-js"];
const VERIFIED = "2024-03-01T09:00:00.000Z";

describeOnEachEngine("Moving in from Auth.js", (engine) => {
  let old: OldSystem;
  let provider: TestProvider;
  let server: TestServer;
  let nextId = 1;
  beforeAll(async () => {
    old = await OldSystem.create(engine, AUTH_JS_TABLES);
    const port = await freePort();
    const baseUrl = `http://localhost:${port}`;
    provider = await TestProvider.start(`${baseUrl}/api/oidc/acme/callback`);
    const { issuer, clientId, clientSecret } = provider;
    server = await startServer({
      engine,
      baseUrl,
      oidc: [{ id: "acme", name: "Acme", issuer, clientId, clientSecret }],
    });
  });
  afterAll(async () => {
    await Promise.all([old.drop(), server.close(), provider.stop()]);
  });

  const bring = (words: string[] = []) =>
    importReport(server, [...FROM, old.place, ...words], {
      LATCHKEY_OIDC_PROVIDERS: "acme",
      LATCHKEY_OIDC_ACME_ISSUER: provider.issuer,
      LATCHKEY_OIDC_ACME_CLIENT_ID: provider.clientId,
      LATCHKEY_OIDC_ACME_CLIENT_SECRET: provider.clientSecret,
    });

  async function user(email: string | null, emailVerified: string | null = VERIFIED): Promise<number> {
    const id = nextId++;
    await old.insert("users", { id, name: "Ada", email, emailVerified, image: null });
    return id;
  }
  const account = (userId: number, type: string, provider: string, providerAccountId: string) =>
    old.insert("accounts", { userId, type, provider, providerAccountId, access_token: "t0ken" });

  test("someone who signed in with another site does so here, into the same account", async () => {
    const email = freshEmail();
    const id = await user(email);
    const sub = randomUUID();
    await account(id, "oidc", "acme", sub);
    await account(id, "webauthn", "passkey", "not another site");
    expect(await bring()).toMatchObject({ accounts: 1, loginMethods: 1, leftOut: [], code: 0 });
    const client = server.client();
    const begun = await client.get("/api/oidc/acme/start");
    const someone = { sub, email: freshEmail("moved"), email_verified: true };
    const { pathname, search } = new URL(await provider.signIn(header(begun, "location"), someone));
    await client.get(pathname + search);
    const answer = await client.get("/api/session");
    expect(need(answer, "account")).toMatchObject({ id: String(id), email, emailVerified: true });
    expect(need(answer, "session").signedInWith).toBe("oidc");
    expect(await everythingIn(server)).not.toContain("t0ken");
  });

  test("someone without an address stays out with a reason; an address that was never confirmed is not", async () => {
    const nobody = await user(null);
    const email = freshEmail();
    await user(email, null);
    const report = await bring();
    expect(report).toMatchObject({ accounts: 1, code: 1 });
    expect(report.leftOut).toEqual([{ where: `user ${nobody}`, what: "account", why: "email: is missing." }]);
    const verified = await server.database.read(
      `select email_verified_at as at from account where email = '${email}'`,
    );
    expect(verified).toEqual([{ at: null }]);
  });

  test("a site that isn't in the settings is reported by name", async () => {
    const id = await user(freshEmail());
    await account(id, "oauth", "discord", "81");
    expect((await bring()).leftOut).toContainEqual({
      where: `user ${id}`,
      what: "login method",
      why: `"discord" is none of the sites in LATCHKEY_OIDC_PROVIDERS. Add it there before you import: a later run adds nothing to an account that is here.`,
    });
  });

  test("a site's account belongs to one person, whoever came first", async () => {
    const sub = randomUUID();
    const [first, second] = [await user(freshEmail()), await user(freshEmail())];
    for (const id of [first, second]) await account(id, "oidc", "acme", sub);
    expect((await bring()).leftOut).toContainEqual({
      where: `user ${second}`,
      what: "login method",
      why: `Who it is at "acme" belongs to user ${first}.`,
    });
  });

  test("live sessions are imported, and a second run changes nothing", async () => {
    const id = await user(freshEmail());
    const expires = "2100-01-01T00:00:00.000Z";
    await old.insert("sessions", { userId: id, sessionToken: randomUUID(), expires });
    await old.insert("sessions", { userId: id, sessionToken: randomUUID(), expires: VERIFIED });
    const dry = await bring(["--dry-run"]);
    expect(dry).toMatchObject({ accounts: 1, sessions: 1 });
    expect(await bring()).toEqual({ ...dry, dryRun: false });
    const before = await everythingIn(server);
    expect(await bring()).toMatchObject({ accounts: 0, sessions: 0 });
    expect(await everythingIn(server)).toBe(before);
  });

  test("an app whose sessions are JWTs may have no table of sessions", async () => {
    const tables = AUTH_JS_TABLES[engine.name].replace(/create table sessions .*/, "");
    const other = await OldSystem.create(engine, { sqlite: tables, postgres: tables });
    await other.insert("users", { id: 900_002, email: freshEmail(), emailVerified: VERIFIED });
    const report = await importReport(server, [...FROM, other.place]);
    expect(report).toMatchObject({ accounts: 1, sessions: 0, code: 0 });
    await other.drop();
  });

  test("passwords that the app stores with its users are imported", async () => {
    const tables = AUTH_JS_TABLES[engine.name].replace("image text", "image text, hashed_password text");
    const other = await OldSystem.create(engine, { sqlite: tables, postgres: tables });
    const email = freshEmail();
    const hashed_password = otherSystems["bcrypt of Node"]?.(PASSWORD) ?? "";
    await other.insert("users", { id: 900_001, email, emailVerified: VERIFIED, hashed_password });
    expect(await importReport(server, [...FROM, other.place])).toMatchObject({ accounts: 1, passwords: 1 });
    await signIn(server, { email, password: PASSWORD }, server.client());
    await other.drop();
  });

  test("equal ids in two systems don't make their people the same", async () => {
    const other = await OldSystem.create(engine, AUTH_JS_TABLES);
    await user(freshEmail());
    await bring();
    await other.insert("users", { id: 1, email: freshEmail(), emailVerified: VERIFIED });
    const { out, code } = await runImport(server, [...FROM, other.place]);
    expect(code).toBe(1);
    expect(out).toContain("user 1: left out. An account with its id is here already, with another address.");
    await other.drop();
  });
});
