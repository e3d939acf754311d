import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { latchkey } from "../support/command-line.ts";
import { engineOf, type TestDatabase } from "../support/engines.ts";

const KEY = randomBytes(32).toString("hex");

describe("The command line on PostgreSQL", () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await engineOf("postgres").createDatabase();
  });
  afterEach(() => database.drop());

  const run = (words: string[], change: (url: URL) => unknown = () => {}) => {
    const url = new URL(database.url);
    change(url);
    const env = { DATABASE_URL: url.href, LATCHKEY_SECRET_KEY: KEY };
    return latchkey(words, { cwd: database.folder, env });
  };

  test.each<[string, (url: URL) => unknown, RegExp]>([
    [
      "a wrong password",
      (url) => Object.assign(url, { password: "wrong" }),
      /the server refused this user or password/,
    ],
    [
      "a database that isn't there",
      (url) => Object.assign(url, { pathname: "/nowhere" }),
      /there is no such database/,
    ],
    [
      "a server that nobody knows",
      (url) => Object.assign(url, { hostname: "nowhere.invalid" }),
      /name is not known/,
    ],
    [
      "TLS that it doesn't speak",
      (url) => url.searchParams.set("sslmode", "verify-full"),
      /the encrypted connection failed/,
    ],
  ])("%s stops the start with one line that names the setting", async (_what, change, words) => {
    const { code, out, err } = await run(["serve"], change);
    expect([code, out]).toEqual([1, ""]);
    const lines = err.trimEnd().split("\n");
    expect(lines).toEqual([expect.stringMatching(words)]);
    expect(lines[0]).toContain("DATABASE_URL");
    expect(err).not.toContain(new URL(database.url).password);
  });

  test("a user who may not create tables stops the start with what to grant", async () => {
    const role = `guest_${randomBytes(6).toString("hex")}`;
    await database.read(`create role ${role} login password 'guest'`);
    try {
      const { code, err } = await run(["serve"], (url) =>
        Object.assign(url, { username: role, password: "guest" }),
      );
      expect([code, err.trimEnd().split("\n")]).toEqual([
        1,
        [
          expect.stringMatching(
            /DATABASE_URL: this user may not create tables; grant it rights on the schema/,
          ),
        ],
      ]);
    } finally {
      await database.read(`drop role ${role}`);
    }
  });

  test("doctor says when a crash would bring an ended session back, and when not", async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.read(`alter database ${name} set synchronous_commit = off`);
    const unsafe = await run(["doctor"]);
    expect(unsafe.code).toBe(1);
    expect(unsafe.out).toMatch(
      /fail\s+synchronous_commit is off: a crash or a failover can bring ended sessions back/,
    );
    await database.read(`alter database ${name} reset synchronous_commit`);
    const { out } = await run(["doctor"]);
    expect(out).toMatch(/ok\s+synchronous_commit is on\./);
    expect(out).toMatch(/ok\s+The clock of the database is -?\d+ ms ahead/);
    expect(out).toMatch(/ok\s+No standby server is connected/);
    expect(out).toMatch(/fail\s+fsync is off: a power cut can bring ended sessions back/);
  });
});
