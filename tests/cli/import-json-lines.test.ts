import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { describeOnEachEngine, engineOf } from "../support/databases/engines.ts";
import {
  everythingIn,
  importReport,
  jsonLines,
  otherSystems,
  runImport,
} from "../support/databases/imports.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import { expectNoContent, expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import {
  changeAddress,
  expectStatus,
  freshEmail,
  PASSWORD,
  signIn,
  signUp,
  trySignIn,
  verifyEmail,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { serverFor } from "../support/servers/server.ts";

const FROM = ["--from", "json-lines"];
/** As better-auth itself stored this suite's password. */
const WRITTEN_BY_BETTER_AUTH =
  "9706647ac170fda41923054964de37bf:c4e7e80c0a344fe0a8d4d1c42a3c5b769aa307cc8a3f7a095a3edd1b28694382d04192e66d3ddc74db2e3200f0ac5e7e8c9ffeff15826ca6c03508ebc4be6e9e";

describeOnEachEngine("Moving in from a JSON-lines file", (engine) => {
  const server = serverFor(engine);
  const bring = async (lines: unknown[], words: string[] = [], env = {}) =>
    importReport(server(), [...FROM, await jsonLines(server(), lines), ...words], env);
  const storedHash = async (email: string) =>
    (await server().database.read(`select password_hash from account where email = '${email}'`))[0]
      ?.password_hash as string | null;

  test.each(Object.keys(otherSystems))(
    "a password of %s lets its owner in, and is then stored in our own format",
    async (kind) => {
      const email = freshEmail();
      const passwordHash = otherSystems[kind]?.(PASSWORD);
      expect(await bring([{ email, passwordHash }])).toMatchObject({ accounts: 1, passwords: 1, code: 0 });
      const wrong = await trySignIn(server().client(), { email, password: WRONG_PASSWORD });
      expectRefusal(wrong, 401, "wrong_credentials");
      expect(await storedHash(email)).toContain(passwordHash);
      await signIn(server(), { email, password: PASSWORD }, server().client());
      expect(await storedHash(email)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      await signIn(server(), { email, password: PASSWORD }, server().client());
      expectRefusal(
        await trySignIn(server().client(), { email, password: WRONG_PASSWORD }),
        401,
        "wrong_credentials",
      );
    },
  );

  test("a password that better-auth itself hashed is accepted, and both Unicode spellings of a letter count as the same", async () => {
    const email = freshEmail();
    await bring([{ email, passwordHash: WRITTEN_BY_BETTER_AUTH }]);
    const own = await signIn(server(), { email, password: PASSWORD }, server().client());
    await expectSignedIn(own.client);
    const other = freshEmail();
    const passwordHash = otherSystems["scrypt of better-auth"]?.("ﬁancée-Lantern-58");
    await bring([{ email: other, passwordHash }]);
    const composed = { email: other, password: "fiance\u0301e-Lantern-58" };
    await expectSignedIn((await signIn(server(), composed, server().client())).client);
  });

  test("keeps the id, the time, whether the address is verified, and whether the account is suspended", async () => {
    const id = `old-${randomBytes(6).toString("hex")}`;
    const email = `Ada.${id}@Example.test`;
    const passwordHash = otherSystems.argon2id?.(PASSWORD);
    const suspended = freshEmail();
    const report = await bring([
      { id, email, emailVerified: true, createdAt: "2024-03-01T10:00:00+01:00", passwordHash },
      { email: suspended, createdAt: 1_709_280_000_000, passwordHash, suspended: true },
    ]);
    expect(report).toMatchObject({ accounts: 2, leftOut: [] });
    const { client } = await signIn(server(), { email, password: PASSWORD }, server().client());
    expect(need(await client.get("/api/session"), "account")).toEqual({
      id,
      email,
      emailVerified: true,
      twoFactor: false,
      createdAt: "2024-03-01T09:00:00.000Z",
    });
    const refused = await trySignIn(server().client(), { email: suspended, password: PASSWORD });
    expectRefusal(refused, 403, "account_suspended");
    const events = need(await client.get("/api/activity"), "events");
    expect(events.map(({ kind, label }) => [kind, label])).toContainEqual([
      "account_created",
      "an administrator",
    ]);
  });

  test.each([undefined, null, false])(
    "takes an address as confirmed only if the file says so: not if emailVerified is %s",
    async (emailVerified) => {
      const email = freshEmail();
      await bring([{ email, emailVerified, passwordHash: otherSystems.argon2id?.(PASSWORD) }]);
      const { client } = await signIn(server(), { email, password: PASSWORD }, server().client());
      expect(need(await client.get("/api/session"), "account").emailVerified).toBe(false);
      const verified = await client.get("/verify");
      expectNoContent(verified);
      expect(verified.headers["remote-user"]).toBeUndefined();
    },
  );

  test("an address that was given up is reserved for its account for seven days, and can then be imported, pruned or not", async () => {
    const person = await signUp(server());
    await verifyEmail(server(), person);
    await changeAddress(server(), person);
    const line = { email: person.email, passwordHash: otherSystems.argon2id?.(PASSWORD) };
    expect(await bring([line])).toMatchObject({ accounts: 0, leftOut: [{ what: "account" }] });
    const { database } = server().latchkey.parts;
    await database.write(({ query }) =>
      query
        .updateTable("emailed_link")
        .set({ expires_at: Date.now() })
        .where("email_key", "=", person.email)
        .where("kind", "=", "email_reversal")
        .execute(),
    );
    expect(await bring([line])).toMatchObject({ accounts: 1, leftOut: [] });
  });

  test("the second factor is imported, and stored encrypted", async () => {
    const email = freshEmail();
    const totpSecret = "JBSW Y3DP EHPK 3PXP jbsw y3dp";
    const secret = "JBSWY3DPEHPK3PXPJBSWY3DP";
    const passwordHash = otherSystems.argon2id?.(PASSWORD);
    expect(await bring([{ email, passwordHash, totpSecret }])).toMatchObject({ twoFactors: 1 });
    const client = server().client();
    expectStatus(202, await trySignIn(client, { email, password: PASSWORD }));
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
    const code = codeAt(secret, server().clock.now());
    expectStatus(201, await client.post("/api/session/two-factor", { code }));
    await expectSignedIn(client);
    expect(await everythingIn(server())).not.toContain(secret);
  });

  test("an account whose second factor can't be read stays out, unless the factor is dropped on purpose", async () => {
    const email = freshEmail();
    const line = { email, passwordHash: otherSystems.argon2id?.(PASSWORD), totpSecret: "hunter2!" };
    const refused = await bring([line]);
    expect(refused).toMatchObject({ code: 1, accounts: 0 });
    expect(refused.leftOut[0]?.why).toMatch(/second factor can't be read.*isn't a base32/);
    expectRefusal(
      await trySignIn(server().client(), { email, password: PASSWORD }),
      401,
      "wrong_credentials",
    );
    const dropped = await bring([line], ["--drop-lost-two-factor"]);
    expect(dropped).toMatchObject({ accounts: 1, twoFactors: 0, leftOut: [{ what: "second factor" }] });
    await signIn(server(), { email, password: PASSWORD }, server().client());
  });

  test("says why it leaves a line out, for each in order, and repeats no secret", async () => {
    const [first, twin, other] = [freshEmail(), freshEmail(), freshEmail()];
    const taken = await signUp(server());
    const secret = "$2b$10$a-secret-that-nobody-may-read";
    const lines = [
      { email: first, passwordHash: secret },
      `{"email":"${twin}","passwordHash":"${secret}`,
      "",
      { email: other, password: secret },
      { email: "no address" },
      { email: first.toUpperCase() },
      { email: taken.email, id: "of-another-system" },
      { email: twin, createdAt: "yesterday" },
      { email: twin, identities: [{ provider: "discord", subject: "12" }] },
      { email: other, sessions: [{ token: "short", expiresAt: "2100-01-01T00:00:00Z" }] },
      { email: freshEmail(), passwordHash: `$2b$31$${"a".repeat(53)}` },
    ];
    const file = await jsonLines(server(), lines);
    const { out, err, code } = await runImport(server(), [...FROM, file]);
    expect(code).toBe(1);
    expect(out + err).not.toContain("a-secret-that-nobody-may-read");
    expect(out.trim().split("\n")).toEqual([
      expect.stringMatching(/^line 1: came without a password\. .*bcrypt, scrypt, argon2/),
      "line 2: left out. It is not valid JSON; each line holds one whole object.",
      expect.stringMatching(/^line 4: left out\. There is no field "password"/),
      expect.stringMatching(/^line 5: left out\. Its email address/),
      expect.stringMatching(/^line 6: left out\. .* that of line 1/),
      expect.stringMatching(/^line 7: left out\. Its address has an account here already/),
      expect.stringMatching(/^line 8: left out\. createdAt: takes a time like/),
      expect.stringMatching(/^line 9: came without a login method\. "discord" is none of the sites/),
      expect.stringMatching(/^line 10: came without a session\. /),
      expect.stringMatching(/^line 11: came without a password\. .*more of the machine/),
      expect.stringMatching(/^Imported 4 accounts, 0 passwords, /),
      "Already here, and left as they are: 0 accounts.",
      "Left out: 6 accounts, and 4 parts of others.",
    ]);
  });

  test.each([
    ["7", "The line: must be an object."],
    ["[]", "The line: must be an object."],
    ["{}", "email: is missing."],
    ['{"email":7}', "email: must be a string."],
    ['{"email":"a@example.test","id":7}', "id: must be a string."],
    ['{"email":"a@example.test","suspended":"no"}', "suspended: must be true or false."],
    ['{"email":"a@example.test","identities":{}}', "identities: must be a list."],
    ['{"email":"a@example.test","identities":["7"]}', "identities.0: must be an object."],
    ['{"email":"a@example.test","identities":[{"provider":"acme"}]}', "identities.0.subject: is missing."],
    ['{"email":"a@example.test","sessions":[{"token":"x"}]}', "sessions.0.expiresAt: is missing."],
  ])("the line %s is left out in plain words", async (line, why) => {
    expect(await bring([line])).toMatchObject({
      code: 1,
      leftOut: [{ where: "line 1", what: "account", why }],
    });
  });

  test("of two accounts with one id or address, however it is capitalized, the report names the one that counts", async () => {
    const [id, email] = [randomBytes(6).toString("hex"), freshEmail()];
    const report = await bring([{ id, email }, { email: email.toUpperCase() }, { id, email: freshEmail() }]);
    expect(report.leftOut.map(({ where, why }) => `${where}: ${why}`)).toEqual([
      "line 2: Its address is also that of line 1, since capitals don't count. Only line 1, which came first, can be imported.",
      "line 3: Its id is also that of line 1. Only line 1, which came first, can be imported.",
    ]);
  });

  test("a dry run reports the same and writes nothing; a second run changes nothing", async () => {
    const passwordHash = otherSystems.argon2id?.(PASSWORD);
    const session = { token: randomBytes(24).toString("hex"), expiresAt: "2100-01-01T00:00:00Z" };
    const lines = [
      { email: freshEmail(), passwordHash, totpSecret: "JBSWY3DPEHPK3PXPJBSWY3DP", sessions: [session] },
      { id: randomBytes(8).toString("hex"), email: freshEmail(), passwordHash },
      "nonsense",
    ];
    const before = await everythingIn(server());
    const dry = await bring(lines, ["--dry-run"]);
    expect(await everythingIn(server())).toBe(before);
    const real = await bring(lines);
    expect(real).toEqual({ ...dry, dryRun: false });
    expect(real).toMatchObject({ accounts: 2, sessions: 1, alreadyHere: 0 });
    const after = await everythingIn(server());
    expect(after).not.toBe(before);
    const again = await bring(lines);
    expect(again).toMatchObject({ accounts: 0, sessions: 0, alreadyHere: 2, code: 1 });
    expect(await everythingIn(server())).toBe(after);
  });

  test("what its owner has done here since stays: a second run brings back neither password nor session", async () => {
    const email = freshEmail();
    const session = { token: randomBytes(24).toString("hex"), expiresAt: "2100-01-01T00:00:00Z" };
    const lines = [{ email, passwordHash: otherSystems.argon2id?.(PASSWORD), sessions: [session] }];
    await bring(lines);
    const { client } = await signIn(server(), { email, password: PASSWORD }, server().client());
    expectStatus(200, await client.delete("/api/sessions"));
    const left = await everythingIn(server());
    expect(await bring(lines)).toMatchObject({ alreadyHere: 1 });
    expect(await everythingIn(server())).toBe(left);
  });

  test("someone who has changed the address here since is recognised by the id; without one, the old address is imported again", async () => {
    const [id, email] = [randomBytes(8).toString("hex"), freshEmail()];
    const passwordHash = otherSystems.argon2id?.(PASSWORD);
    const withoutId = freshEmail();
    const lines = [
      { id, email, emailVerified: true, passwordHash },
      { email: withoutId, emailVerified: true, passwordHash },
    ];
    await bring(lines);
    for (const old of [email, withoutId]) {
      const { client } = await signIn(server(), { email: old, password: PASSWORD }, server().client());
      const address = freshEmail();
      expectStatus(
        202,
        await client.put("/api/account/email", { email: address, currentPassword: PASSWORD }),
      );
      const token = await server().outbox.tokenFor(address, "/confirm-email");
      expectStatus(204, await client.post("/api/email-confirmations", { token }));
    }
    const left = await everythingIn(server());
    const again = await bring(lines);
    expect(again).toMatchObject({ accounts: 0, alreadyHere: 1, code: 1 });
    expect(again.leftOut.map(({ where, why }) => `${where}: ${why}`)).toEqual([
      "line 2: Its address is kept for an account that left it lately.",
    ]);
    expect(await everythingIn(server())).toBe(left);
    expect(await bring([{ ...lines[0], email: freshEmail() }])).toMatchObject({ alreadyHere: 1, code: 0 });
  });

  test("people who sign up at the same moment keep their accounts", async () => {
    const emails = Array.from({ length: 600 }, () => freshEmail());
    const importing = bring(emails.map((email) => ({ email })));
    const last = emails.toReversed().slice(0, 25);
    const signedUp: string[] = [];
    for (const email of last) {
      const answer = await server().client().post("/api/accounts", { email, password: PASSWORD });
      expect([201, 409, 429]).toContain(answer.status);
      if (answer.status === 201) signedUp.push(email);
    }
    const { accounts, alreadyHere, leftOut } = await importing;
    expect(accounts + alreadyHere).toBe(emails.length);
    expect(leftOut).toEqual([]);
    for (const email of signedUp) expect(await storedHash(email)).toMatch(/^\$argon2id/);
  });

  test("an import that was cut off is finished by the next run", async () => {
    const lines = Array.from({ length: 450 }, () => ({ email: freshEmail() }));
    await bring(lines.slice(0, 230));
    expect(await bring(lines)).toMatchObject({ accounts: 220, alreadyHere: 230, code: 0 });
  });
});

describe("latchkey import", () => {
  const server = serverFor(engineOf("sqlite"));

  test.each([
    [[...FROM, "/nowhere.jsonl"], 1, "/nowhere.jsonl does not exist."],
    [[...FROM, "."], 1, ". is a folder, not a file."],
    [["users.jsonl"], 2, "takes --from"],
    [["--from", "ldap", "users.jsonl"], 2, "takes --from"],
    [FROM, 2, "takes SOURCE"],
  ])("answers %j with exit code %i and one clear line", async (words, expected, sentence) => {
    const { code, err, out } = await runImport(server(), words);
    expect(code).toBe(expected);
    expect(out).toBe("");
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toContain(sentence);
  });

  test("a file from Windows, with a byte order mark, is read as well", async () => {
    const email = freshEmail();
    const file = await jsonLines(server(), [`\uFEFF{"email":"${email}"}\r`, `{"email":"b${email}"}\r`]);
    expect(await importReport(server(), [...FROM, file])).toMatchObject({ accounts: 2, code: 0 });
    await rm(file);
  });
});
