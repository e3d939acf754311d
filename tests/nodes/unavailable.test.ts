import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DatabaseUnavailable } from "../../src/index.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { type Person, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

/** What an operator, or another program, may do to a database in use, and how to undo it. */
const TROUBLES: [string, { begin: string[]; mend: string[]; locks?: true }][] = [
  [
    "takes no more connections (55000)",
    {
      begin: ["alter database NAME allow_connections false"],
      mend: ["alter database NAME allow_connections true"],
    },
  ],
  [
    "has another password now (28P01)",
    { begin: ["alter role NAME password 'other'"], mend: ["alter role NAME password 'mine'"] },
  ],
  [
    "was renamed (3D000)",
    { begin: ["alter database NAME rename to NAME_gone"], mend: ["alter database NAME_gone rename to NAME"] },
  ],
  [
    "is locked, for longer than its operator lets statements wait (55P03)",
    {
      begin: ["alter role NAME set lock_timeout = '100ms'"],
      mend: ["alter role NAME reset lock_timeout"],
      locks: true,
    },
  ],
  [
    "is locked, for longer than its operator lets statements run (57014)",
    {
      begin: ["alter role NAME set statement_timeout = '100ms'"],
      mend: ["alter role NAME reset statement_timeout"],
      locks: true,
    },
  ],
];

describe("A PostgreSQL in use that", () => {
  let database: TestDatabase;
  let server: TestServer;
  let person: Person;
  let name = "";
  const admin = new pg.Client({ connectionString: inject("postgresUrl") ?? "" });
  const asAdmin = async (statements: string[]) => {
    for (const one of statements) await admin.query(one.replaceAll("NAME", name));
  };
  /**
   * The server connects again whenever it may, so that one round isn't always enough. A connection that is
   * still starting has no database yet, and may have been let in before the database was troubled.
   */
  const endConnections = async () => {
    const text = `select case when datname = $1 then pg_terminate_backend(pid) end
      from pg_stat_activity where datname = $1 or state = 'starting'`;
    await expect.poll(async () => (await admin.query(text, [name])).rowCount, { timeout: 30_000 }).toBe(0);
  };

  beforeAll(async () => {
    await admin.connect();
    database = await engineOf("postgres").createDatabase();
    name = new URL(database.url).pathname.slice(1);
    await asAdmin(["create role NAME login password 'mine'", "alter database NAME owner to NAME"]);
    const url = Object.assign(new URL(database.url), { username: name, password: "mine" }).href;
    server = await startServer({ engine: engineOf("postgres"), database: { ...database, url } });
    person = await signUp(server);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
    await asAdmin(["drop role NAME"]);
    await admin.end();
  });

  async function expectUnavailable(): Promise<void> {
    for (const path of ["/api/session", "/verify", "/api/sessions"])
      expectRefusal(await person.client.get(path), 503, "unavailable");
    expectRefusal(await person.client.delete("/api/sessions"), 503, "unavailable");
    expect((await server.client().get("/readyz")).status).toBe(503);
  }

  test.each(TROUBLES)(
    "%s leads to 503, never to 500 or signed out, and recovers",
    async (_what, { begin, mend, locks }) => {
      await endConnections();
      await asAdmin(begin);
      await endConnections();
      const holder = new pg.Client({ connectionString: database.url });
      if (locks) {
        await holder.connect();
        await holder.query("begin; lock table session, account, session_change in access exclusive mode");
      }
      try {
        await expectUnavailable();
      } finally {
        if (locks) await holder.end();
        await asAdmin(mend);
        await endConnections();
      }
      await expectSignedIn(person.client);
    },
  );

  test.each(["session", "session_change"])(
    "has revoked a privilege on %s (42501) leads to 503, and recovers",
    async (table) => {
      const unchecked = await signIn(server, person, UA.firefoxWindows);
      const asked = table === "session" ? unchecked : person;
      await database.read(`alter table ${table} owner to postgres`);
      expectRefusal(await asked.client.get("/api/session"), 503, "unavailable");
      await database.read(`alter table ${table} owner to ${name}`);
      await expectSignedIn(asked.client);
    },
  );

  test("makes Latchkey the victim of every deadlock leads to 503 after the last try, and recovers", async () => {
    let tries = 0;
    const write = server.latchkey.parts.database.write(async ({ query }) => {
      tries += 1;
      await sql`do $$ begin raise exception 'as a deadlock' using errcode = '40P01'; end $$`.execute(query);
    });
    await expect(write).rejects.toThrow(DatabaseUnavailable);
    expect(tries).toBe(3);
  });
});
