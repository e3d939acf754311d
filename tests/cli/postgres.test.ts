import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { signUp, turnOnTwoFactor } from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { deadPort } from "../support/servers/free-port.ts";
import { startServer } from "../support/servers/server.ts";

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

  test("a user who lacks a privilege on a table stops the start with what to grant", async () => {
    expect((await run(["migrate"])).code).toBe(0);
    const role = `guest_${randomBytes(6).toString("hex")}`;
    const asRole = () => run(["serve"], (url) => Object.assign(url, { username: role, password: "guest" }));
    const needs = "grant it select, insert, update, delete on all of Latchkey's tables.";
    await database.read(`create role ${role} login password 'guest'`);
    try {
      const unread = await asRole();
      await database.read(`grant select on all tables in schema public to ${role}`);
      const unwritten = await asRole();
      expect([unread.code, unread.err, unwritten.code, unwritten.err]).toEqual([
        1,
        `DATABASE_URL: this user may not select in the table latchkey_schema; ${needs}\n`,
        1,
        expect.stringMatching(
          /^DATABASE_URL: this user may not (insert|update|delete) in the table \w+; .*\n$/,
        ),
      ]);
      await database.read(`grant insert, update, delete on all tables in schema public to ${role}`);
      const { code } = await run(["migrate"], (url) =>
        Object.assign(url, { username: role, password: "guest" }),
      );
      expect(code).toBe(0);
    } finally {
      await database.read(`drop owned by ${role}`);
      await database.read(`drop role ${role}`);
    }
  });

  test("after an upgrade, a user who doesn't own the tables is told who has to migrate", async () => {
    expect((await run(["migrate"])).code).toBe(0);
    const role = `guest_${randomBytes(6).toString("hex")}`;
    await database.read(`create role ${role} login password 'guest'`);
    try {
      await database.read(`grant select, insert, update, delete on all tables in schema public to ${role}`);
      await database.read("delete from latchkey_schema where version > 13");
      const asRole = (url: URL) => Object.assign(url, { username: role, password: "guest" });
      const words =
        /^(?:{.*upgraded from schema.*}\n)?DATABASE_URL: the tables are of an older version, and this user doesn't own them; run latchkey migrate as the user who does \(.*\)\.\n$/;
      const may = { code: 1, err: expect.stringMatching(words) };
      expect(await run(["serve"], asRole)).toMatchObject(may);
      await database.read(`grant create on schema public to ${role}`);
      expect(await run(["serve"], asRole)).toMatchObject(may);
    } finally {
      await database.read(`drop owned by ${role}`);
      await database.read(`drop role ${role}`);
    }
  });

  test("a PostgreSQL that is too old stops the start with the version that is needed", async () => {
    const proxy = await FaultProxy.start(new URL(database.url), "old server");
    const { code, err } = await run(["serve"], (url) => Object.assign(url, { port: String(proxy.port) }));
    await proxy.stop();
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^DATABASE_URL: this server is PostgreSQL .*; Latchkey needs 15 or newer\.\n$/),
    ]);
  });

  test("a server that doesn't answer ends a command with one line that says why, and doctor says so, too", async () => {
    const port = String(await deadPort());
    const away = (url: URL) => Object.assign(url, { port });
    const { code, out, err } = await run(["doctor"], away);
    expect([code, err]).toEqual([1, ""]);
    expect(out).toMatch(/^fail\s+The database did not answer \(\S.*\)\.$/m);
    const unknown = await run(["accounts", "list"], (url) => Object.assign(url, { hostname: "db.invalid" }));
    expect(unknown).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/^DATABASE_URL: the server's name is not known \(.*\)\.\n$/),
    });
  });

  test("everyone's sessions end even if there are too many to count before the statement timeout", async () => {
    const server = await startServer({ engine: engineOf("postgres"), database, secretKey: KEY });
    await signUp(server);
    await server.close();
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query("begin; lock table session in access exclusive mode");
    const counting = () =>
      database.read(
        "select 1 from pg_stat_activity where datname = current_database() and state = 'active' and query ~ '^select count'",
      );
    const ended = run(["sessions", "end-all", "--everyone"]);
    await expect.poll(counting).toHaveLength(1);
    await expect.poll(counting).toHaveLength(0);
    await holder.end();
    expect(await ended).toEqual({ code: 0, out: "Ended 1 session.\n", err: "" });
  });

  test("doctor says that the key isn't the one that secrets were encrypted with", async () => {
    const server = await startServer({ engine: engineOf("postgres"), database, secretKey: KEY });
    await turnOnTwoFactor(server, await signUp(server));
    await server.close();
    expect((await run(["doctor"])).out).toMatch(/ok\s+The key opens all second factors \(1\)\./);
    const env = { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: randomBytes(32).toString("hex") };
    const other = await latchkey(["doctor"], { cwd: database.folder, env });
    expect(other.code).toBe(1);
    expect(other.out).toMatch(/fail\s+The key does not open 1 of 1 second factors: LATCHKEY_SECRET_KEY/);
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
    expect(out).toMatch(/ok\s+The database's clock is \d+ ms (ahead of|behind) this machine's\./);
    expect(out).toMatch(/ok\s+No standby server is connected\./);
    expect(out).toMatch(/ok\s+Announcements of other nodes arrive \(DATABASE_URL\)\./);
    expect(out).toMatch(/fail\s+fsync is off: a power cut can bring ended sessions back/);
  });
});
