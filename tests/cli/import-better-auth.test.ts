import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine, engineOf } from "../support/databases/engines.ts";
import { everythingIn, importReport, otherSystems, runImport } from "../support/databases/imports.ts";
import {
  BETTER_AUTH_TABLES,
  betterAuthAccount,
  betterAuthId,
  betterAuthSession,
  betterAuthUser,
  OldSystem,
} from "../support/databases/old-systems.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, PASSWORD, signIn, signUp, trySignIn } from "../support/requests/people.ts";
import { serverFor } from "../support/servers/server.ts";

const FROM = ["--from", "better-auth"];
/** What better-auth itself wrote with this secret, and what it told the authenticator app. */
const SECRET = "a-better-auth-secret-of-the-test-1234";
const SEALED =
  "4e9de413d1190bb79568846a487158a9e06cf06c1570d8873f6d79a21ddbd0839f48708cf99de90e487b47d74677e1ce228a81c9db3a1ebeda8024a0d5975cb1008a95ae32ee69bc";
const IN_THE_APP = "IVYGCNZWGFJHCZSIMJBUCS2SNAZFINTKNBLEO4KJMJCUE22EIJSA";

describeOnEachEngine("Moving in from better-auth", (engine) => {
  const server = serverFor(engine);
  let old: OldSystem;
  beforeAll(async () => {
    old = await OldSystem.create(engine, BETTER_AUTH_TABLES);
  });
  afterAll(() => old.drop());
  const bring = (words: string[] = [], env: Record<string, string> = {}) =>
    importReport(server(), [...FROM, old.place, ...words], env);
  const password = () => otherSystems["scrypt of better-auth"]?.(PASSWORD) ?? "";

  test("users are imported with their id, time and password, and those who were banned stay out", async () => {
    const [email, banned, free] = [freshEmail(), freshEmail(), freshEmail()];
    const id = await betterAuthUser(old, email);
    const bannedId = await betterAuthUser(old, banned, { banned: true });
    const past = "2024-03-02T00:00:00.000Z";
    const freeId = await betterAuthUser(old, free, { banned: true, banExpires: past, emailVerified: false });
    for (const userId of [id, bannedId, freeId])
      await betterAuthAccount(old, userId, { providerId: "credential", password: password() });
    expect(await bring()).toMatchObject({ accounts: 3, passwords: 3, leftOut: [], code: 0 });
    const { client } = await signIn(server(), { email, password: PASSWORD }, server().client());
    expect(need(await client.get("/api/session"), "account")).toEqual({
      id,
      email,
      emailVerified: true,
      twoFactor: false,
      createdAt: "2024-03-01T09:00:00.000Z",
    });
    const refused = await trySignIn(server().client(), { email: banned, password: PASSWORD });
    expectRefusal(refused, 403, "account_suspended");
    const other = await signIn(server(), { email: free, password: PASSWORD }, server().client());
    expect(need(await other.client.get("/api/session"), "account").emailVerified).toBe(false);
  });

  test("a second factor is read with the old system's secret; without it the account waits outside", async () => {
    const email = freshEmail();
    const userId = await betterAuthUser(old, email, { twoFactorEnabled: true });
    await betterAuthAccount(old, userId, { providerId: "credential", password: password() });
    const row = { id: betterAuthId(), userId, secret: SEALED, backupCodes: "", verified: true };
    await old.insert("twoFactor", row);
    const none = await bring();
    expect(none).toMatchObject({ accounts: 0, code: 1, leftOut: [{ where: `user ${userId}` }] });
    expect(none.leftOut[0]?.why).toContain("set BETTER_AUTH_SECRET");
    const wrong = await bring([], { BETTER_AUTH_SECRET: "another" });
    expect(wrong.leftOut[0]?.why).toContain("is not the one");
    expectRefusal(
      await trySignIn(server().client(), { email, password: PASSWORD }),
      401,
      "wrong_credentials",
    );

    expect(await bring([], { BETTER_AUTH_SECRETS: `2:newer,1:${SECRET}` })).toMatchObject({
      accounts: 1,
      twoFactors: 1,
    });
    const client = server().client();
    expectStatus(202, await trySignIn(client, { email, password: PASSWORD }));
    const code = codeAt(IN_THE_APP, server().clock.now());
    expectStatus(201, await client.post("/api/session/two-factor", { code }));
    await expectSignedIn(client);
    expect(await everythingIn(server())).not.toContain(SEALED);
  });

  test("a second factor by emailed codes, or one that was never confirmed, isn't silently skipped", async () => {
    const byMail = await betterAuthUser(old, freshEmail(), { twoFactorEnabled: true });
    const begun = await betterAuthUser(old, freshEmail());
    const row = { id: betterAuthId(), userId: begun, secret: SEALED, backupCodes: "", verified: false };
    await old.insert("twoFactor", row);
    const report = await bring([], { BETTER_AUTH_SECRET: SECRET });
    expect(report).toMatchObject({ accounts: 1, twoFactors: 0 });
    expect(report.leftOut).toMatchObject([{ where: `user ${byMail}`, what: "account" }]);
    expect(await bring(["--drop-lost-two-factor"], { BETTER_AUTH_SECRET: SECRET })).toMatchObject({
      accounts: 1,
      leftOut: [{ where: `user ${byMail}`, what: "second factor" }],
    });
  });

  test("login methods of other sites are imported under the name that the site has in the settings", async () => {
    const email = freshEmail();
    const userId = await betterAuthUser(old, email);
    const subject = betterAuthId();
    await betterAuthAccount(old, userId, { providerId: "github", accountId: subject, accessToken: "t0ken" });
    await betterAuthAccount(old, userId, { providerId: "discord", accountId: "81" });
    await betterAuthAccount(old, userId, { providerId: "credential", password: password() });
    const report = await bring([], {
      LATCHKEY_OIDC_PROVIDERS: "github",
      LATCHKEY_OIDC_GITHUB_CLIENT_ID: "id",
      LATCHKEY_OIDC_GITHUB_CLIENT_SECRET: "secret",
    });
    expect(report).toMatchObject({ accounts: 1, loginMethods: 1, code: 0 });
    expect(report.leftOut).toMatchObject([{ where: `user ${userId}`, what: "login method" }]);
    const { client } = await signIn(server(), { email, password: PASSWORD }, server().client());
    const methods = need(await client.get("/api/account/login-methods"), "methods");
    expect(methods.map(({ kind, name }) => [kind, name])).toEqual([
      ["password", "Password"],
      ["oidc", "github"],
    ]);
    const stored = `select issuer, subject from oidc_identity where account_id = '${userId}'`;
    expect(await server().database.read(stored)).toMatchObject([{ issuer: "https://github.com", subject }]);
    expect(await everythingIn(server())).not.toContain("t0ken");
  });

  test("live sessions are imported; expired ones, and those of an administrator who impersonated someone, aren't", async () => {
    const email = freshEmail();
    const userId = await betterAuthUser(old, email);
    await betterAuthSession(old, userId, { token: betterAuthId() });
    await betterAuthSession(old, userId, { token: betterAuthId(), impersonatedBy: "boss" });
    await betterAuthSession(old, userId, { token: betterAuthId(), expiresAt: "2024-03-08T00:00:00.000Z" });
    expect(await bring()).toMatchObject({ accounts: 1, sessions: 1 });
  });

  test("sessions that it keeps elsewhere, such as in Redis, are in no table; accounts are imported without them", async () => {
    const tables = BETTER_AUTH_TABLES[engine.name].replace(/create table "session" .*/, "");
    const other = await OldSystem.create(engine, { sqlite: tables, postgres: tables });
    const email = freshEmail();
    const userId = await betterAuthUser(other, email);
    await betterAuthAccount(other, userId, { providerId: "credential", password: password() });
    const report = await importReport(server(), [...FROM, other.place]);
    expect(report).toMatchObject({ accounts: 1, passwords: 1, sessions: 0, code: 0 });
    await signIn(server(), { email, password: PASSWORD }, server().client());
    await other.drop();
  });

  test("a second run changes nothing, and another account with an address that is here already is reported", async () => {
    const taken = await signUp(server());
    const twin = await betterAuthUser(old, taken.email.toUpperCase());
    const first = await bring();
    expect(first.leftOut).toContainEqual({
      where: `user ${twin}`,
      what: "account",
      why: "Its address has an account here already, with another id.",
    });
    const before = await everythingIn(server());
    expect(await bring()).toMatchObject({ accounts: 0, sessions: 0 });
    expect(await everythingIn(server())).toBe(before);
  });

  test("column names with underscores, as other adapters spell them, are the same names", async () => {
    const tables = BETTER_AUTH_TABLES[engine.name].replace(/"(\w+)"/g, (name) =>
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    );
    const other = await OldSystem.create(engine, { sqlite: tables, postgres: tables });
    const email = freshEmail();
    const times = { created_at: "2024-03-01 09:00:00", updated_at: "2024-03-01 09:00:00" };
    await other.insert("user", { id: "7", name: "Ada", email, email_verified: true, ...times });
    const account = { id: "1", user_id: "7", account_id: "7", provider_id: "credential", ...times };
    await other.insert("account", { ...account, password: password() });
    expect(await importReport(server(), [...FROM, other.place])).toMatchObject({ accounts: 1, passwords: 1 });
    await signIn(server(), { email, password: PASSWORD }, server().client());
    await other.drop();
  });

  test("many pages of users are read to the end", async () => {
    const other = await OldSystem.create(engine, BETTER_AUTH_TABLES);
    for (let number = 0; number < 430; number += 1) await betterAuthUser(other, freshEmail());
    expect(await importReport(server(), [...FROM, other.place, "--dry-run"])).toMatchObject({
      accounts: 430,
    });
    await other.drop();
  });
});

describe("An unusable source", () => {
  const server = serverFor(engineOf("sqlite"));

  test.each([
    ["/nowhere.db", "/nowhere.db does not exist."],
    [import.meta.filename, "can't be read: file is not a database."],
    ["mysql://ada:hunter2@127.0.0.1/shop", "takes a SQLite file or a postgres:// address"],
    ["postgres://ada:hunter2@127.0.0.1:1/shop", "The old database can't be read: connect ECONNREFUSED"],
  ])("%s stops with one clear line, without the password in it", async (place, sentence) => {
    const { code, err, out } = await runImport(server(), [...FROM, place]);
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toContain(sentence);
    expect(err).not.toContain("hunter2");
  });

  test("another program's database is not taken for better-auth's", async () => {
    const file = server().database.url.replace("sqlite:", "");
    const { code, err } = await runImport(server(), [...FROM, file]);
    expect(code).toBe(1);
    expect(err).toBe(`The old database has no table "user": its tables are not better-auth's.\n`);
  });
});
