import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeOnEachEngine, engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { expectSignedIn } from "../support/requests/expectations.ts";
import { signUp } from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { startServer } from "../support/servers/server.ts";

describeOnEachEngine("The database of another program", (engine) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await engine.createDatabase();
  });
  afterEach(() => database.drop());

  const file = () => database.url.replace("sqlite:", "");
  async function runSql(sql: string): Promise<void> {
    if (engine.name === "postgres") return void (await database.read(sql));
    const open = new DatabaseSync(file());
    open.exec(sql);
    open.close();
  }
  const everything = () =>
    engine.name === "sqlite"
      ? readFileSync(file()).toString("base64")
      : database.read("select relname from pg_class order by 1").then((rows) => JSON.stringify(rows));

  test.each([
    ["session", "create table session (sid text primary key, sess text)"],
    ["account", "create table note (id int); create table account (id int, owner text)"],
    ["session_expires_at", "create table visit (at int); create index session_expires_at on visit (at)"],
  ])("that has a %s of its own stops the start with one line, and is left unchanged", async (name, sql) => {
    await runSql(sql);
    const before = await everything();
    const start = startServer({ engine, database });
    await expect(start).rejects.toMatchObject({
      name: "DatabaseUnusable",
      message: expect.stringMatching(
        new RegExp(`^DATABASE_URL: .*another program.*"${name}".* of its own; nothing was changed\\.$`),
      ),
    });
    expect(await everything()).toBe(before);
  });

  test("with other tables can take Latchkey's as well", async () => {
    await runSql("create table note (id int); create table sessions (sid text); insert into note values (7)");
    const server = await startServer({ engine, database });
    await expectSignedIn((await signUp(server)).client);
    await server.close();
    const again = await startServer({ engine, database });
    await again.close();
    expect(await database.read("select id from note")).toEqual([{ id: 7 }]);
  });
});

describe("A file whose program keeps its schema version in user_version", () => {
  test.each([1, 4, 9_999])("is refused at version %d, by the start and as a backup", async (version) => {
    const database = await engineOf("sqlite").createDatabase();
    const file = database.url.replace("sqlite:", "");
    const open = new DatabaseSync(file);
    open.exec(`create table note (id int); pragma user_version = ${version}`);
    open.close();
    const before = readFileSync(file);
    const start = startServer({ engine: engineOf("sqlite"), database });
    await expect(start).rejects.toThrow(`another program: it counts its own schema, at ${version}.`);
    expect(readFileSync(file).equals(before)).toBe(true);
    const restored = await latchkey(["restore", file], { cwd: database.folder });
    expect(restored).toMatchObject({ code: 1, err: expect.stringContaining("not a backup of Latchkey") });
    expect(existsSync(`${database.folder}/latchkey-data/latchkey.db`)).toBe(false);
    await database.drop();
  });
});
