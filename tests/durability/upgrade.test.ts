import { afterEach, beforeEach, expect, test } from "vitest";
import { migrationsOf } from "../../src/database/migrations.ts";
import { openDatabase } from "../../src/database/open.ts";
import { readSettings } from "../../src/options/options.ts";
import { describeOnEachEngine, type Engine, type TestDatabase } from "../support/databases/engines.ts";
import { loadFirstSchema } from "../support/databases/old-database.ts";
import type { Client } from "../support/requests/client.ts";
import { Clock } from "../support/requests/clock.ts";
import { expectNoContent, expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import { listOf, PASSWORD, signIn } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const token = (letter: string) => `lk1_${letter.repeat(43)}`;
const EMAIL = "ada@example.test";

/** Everything that makes up a schema, in a fixed order. */
function shapeOf(database: TestDatabase, { name }: Engine) {
  return database.read(
    name === "sqlite"
      ? "select type, name, sql from sqlite_schema where name not like 'sqlite_%' order by type, name"
      : `select table_name as name, column_name as part, data_type as is from information_schema.columns where table_schema = 'public'
         union all select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 1, 2`,
  );
}

describeOnEachEngine("A database with the first released schema", (engine) => {
  let database: TestDatabase;
  let server: TestServer;
  beforeEach(async () => {
    database = await engine.createDatabase();
    await loadFirstSchema(database, engine);
    const clock = new Clock();
    clock.setTo("2026-09-04T12:00:00Z");
    server = await startServer({ engine, database, clock });
  });
  afterEach(async () => {
    await server.close();
    await database.drop();
  });

  function holderOf(letter: string): Client {
    const client = server.client();
    client.token = token(letter);
    return client;
  }

  test("keeps its people signed in, with their list as it was", async () => {
    const mac = holderOf("A");
    await expectSignedIn(mac);
    expect((await listOf(mac)).map(({ id, label }) => [id, label])).toEqual([
      ["session-of-the-mac", "Chrome on Mac OS"],
      ["session-of-the-phone", "Safari on iOS"],
    ]);
    expectNoContent(await mac.delete("/api/sessions/session-of-the-phone"));
    await expectSignedOut(holderOf("B"), "signed_out_remotely");
  });

  test("has forgotten no ending and no reason", async () => {
    const { body } = await expectSignedOut(holderOf("C"), "signed_out_remotely");
    expect(body.by).toBe("Chrome on Mac OS");
  });

  test("accepts its old password, and the sign-in replaces the session of the same browser and system", async () => {
    const again = await signIn(server, { email: EMAIL, password: PASSWORD }, UA.chromeMac);
    await expectSignedOut(holderOf("A"), "replaced");
    await expectSignedIn(holderOf("B"));
    expect(await listOf(again.client)).toHaveLength(2);
  });

  test("honours a link that was emailed before", async () => {
    expectNoContent(await server.client().post("/api/not-me", { token: "D".repeat(43) }));
    await expectSignedOut(holderOf("B"), "reported");
  });

  test("is then the same as a new one, and a second start changes nothing", async () => {
    const fresh = await startServer({ engine });
    const shape = await shapeOf(database, engine);
    expect(shape).toEqual(await shapeOf(fresh.database, engine));
    await fresh.close();
    await (await startServer({ engine, database })).close();
    expect(await shapeOf(database, engine)).toEqual(shape);
    const [row] = await database.read(
      engine.name === "sqlite"
        ? "select user_version as newest from pragma_user_version"
        : "select max(version) as newest from latchkey_schema",
    );
    expect(row?.newest).toBe(migrationsOf(engine.name).at(-1)?.version);
  });
});

describeOnEachEngine("An upgrade", (engine) => {
  test("is a line in the log when it begins, with both schema versions; a start without one logs nothing", async () => {
    const database = await engine.createDatabase();
    await loadFirstSchema(database, engine);
    const said: string[] = [];
    const settings = readSettings({ databaseUrl: database.url, secretKey: "ab".repeat(32) });
    const start = () => openDatabase(settings, (_, words) => said.push(words));
    await (await start()).close();
    await (await start()).close();
    const newest = migrationsOf(engine.name).at(-1)?.version;
    expect(said).toEqual([`The database is being upgraded from schema 1 to ${newest}.`]);
    await database.drop();
  });
});
