import { kill } from "node:process";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPostgres } from "../../src/database/postgres/postgres.ts";
import { prune } from "../../src/sessions/prune.ts";
import { engineNames } from "../support/databases/engine-names.ts";
import { engineOf, postgresAt } from "../support/databases/engines.ts";
import { startPostgres } from "../support/databases/postgres.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import { expectStatus, type Person, signIn, signUp, turnOnTwoFactor } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

/** What ends a session behind the back of Latchkey's rules: an operator, or another program. */
const BY_HAND: [string, (person: Person) => string][] = [
  ["deletes it", ({ session }) => `delete from session where id = '${session.id}'`],
  ["lets it expire", ({ session }) => `update session set expires_at = 1 where id = '${session.id}'`],
  [
    "deletes it as a replica does, without ordinary triggers",
    ({ session }) => `set session_replication_role = replica; delete from session where id = '${session.id}'`,
  ],
  [
    "deletes it with another search path",
    ({ session }) => `set search_path = pg_catalog; delete from public.session where id = '${session.id}'`,
  ],
  [
    "deletes it as a user who may do nothing else",
    ({ session }) => `create role only_deletes; grant select, delete on session to only_deletes;
      set role only_deletes; delete from session where id = '${session.id}'; reset role;
      drop owned by only_deletes; drop role only_deletes`,
  ],
  [
    "deletes it after more changes than are announced one by one",
    ({ session, account }) => `do $$ begin
      for change in 1..1100 loop
        update account set created_label = 'Change ' || change where id <> '${account.id}';
      end loop;
      delete from session where id = '${session.id}';
    end $$`,
  ],
  [
    "deletes it and empties the table of changes",
    ({ session }) => `delete from session where id = '${session.id}'; truncate session_change`,
  ],
  ["empties the table", () => "truncate session cascade"],
];

/** A table without triggers, like one that was copied by hand. */
const ANOTHER_TABLE = `begin; create table copied_session (like session including all); drop table session cascade;
  alter table copied_session rename to session; commit`;

describe.runIf(engineNames().includes("postgres"))("A session that was just checked on PostgreSQL", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine: engineOf("postgres"), rateLimits: "off" });
  });
  afterAll(() => server.close());

  /** Signed in, and checked often enough to be remembered. */
  async function checked(): Promise<Person> {
    const person = await signUp(server);
    for (let check = 0; check < 3; check++) expectNoContent(await person.client.get("/verify"));
    return person;
  }

  async function withConnection(work: (connection: pg.Client) => Promise<void>): Promise<void> {
    const connection = new pg.Client({ connectionString: server.database.url });
    await connection.connect();
    try {
      await work(connection);
    } finally {
      await connection.end();
    }
  }

  test.each(BY_HAND)("is refused at its next request if someone %s in the database", async (_what, sql) => {
    await signUp(server);
    const person = await checked();
    await withConnection(async (connection) => {
      await connection.query(sql(person));
    });
    expect((await person.client.get("/verify")).status).toBe(401);
  });

  test("is looked up again after a statement that changed thousands of rows, for which there is a single note", async () => {
    const person = await checked();
    await withConnection(async (connection) => {
      await connection.query(
        `insert into account (id, email, email_key, created_at)
          select 'many' || n, n || '@many.test', n || '@many.test', 0 from generate_series(1, 1100) n`,
      );
      await connection.query("update account set email_verified_at = 1");
    });
    expect((await person.client.get("/api/session")).body.account?.emailVerified).toBe(true);
    const notes = await server.database.read("select ids from session_change order by xid desc limit 1");
    expect(notes).toEqual([{ ids: "*" }]);
  });

  test("is looked up again if two-factor authentication was removed with its whole table", async () => {
    const person = await signUp(server);
    await turnOnTwoFactor(server, person);
    const twoFactor = async () => (await person.client.get("/api/session")).body.account?.twoFactor;
    expect([await twoFactor(), await twoFactor()]).toEqual([true, true]);
    await withConnection(async (connection) => {
      await connection.query("truncate two_factor");
    });
    expect(await twoFactor()).toBe(false);
  });

  test("is never remembered if another table, without triggers, replaced its own", async () => {
    const before = await checked();
    await withConnection(async (connection) => {
      await connection.query(ANOTHER_TABLE);
    });
    expect((await before.client.get("/verify")).status).toBe(401);
    const after = await checked();
    await withConnection(async (connection) => {
      await connection.query("delete from session where id = $1", [after.session.id]);
    });
    expect((await after.client.get("/verify")).status).toBe(401);
    const said: string[] = [];
    const notice = (_level: string, words: string) => void said.push(words);
    const database = await openPostgres({ url: server.database.url, listenUrl: null, notice });
    const { client } = await signUp(server);
    for (let check = 0; check < 4; check++)
      expect(await database.lookUp([client.token])).toEqual([expect.anything()]);
    expect(said).toEqual([expect.stringContaining("triggers of migration 13 are missing or disabled")]);
    await database.close();
  });
});

describe.runIf(engineNames().includes("postgres"))("A change of a session on PostgreSQL", () => {
  let server: TestServer;
  let slow: pg.Client;
  beforeAll(async () => {
    server = await startServer({ engine: engineOf("postgres"), rateLimits: "off" });
    slow = new pg.Client({ connectionString: server.database.url });
    await slow.connect();
  });
  afterAll(async () => {
    await slow.end();
    await server.close();
  });

  /** An ending that another transaction has begun and not committed, with many endings that overtake it. */
  async function overtaken() {
    const person = await signUp(server);
    const ending = await signIn(server, person, UA.firefoxWindows);
    for (let check = 0; check < 3; check++) expectNoContent(await ending.client.get("/verify"));
    await slow.query("begin; savepoint before_it");
    await slow.query("delete from session where id = $1", [ending.session.id]);
    await slow.query("release before_it");
    for (let later = 0; later < 3; later++) {
      const other = await signUp(server);
      expectNoContent(await other.client.get("/verify"));
      expectStatus(204, await other.client.delete("/api/session"));
      expect((await other.client.get("/verify")).status).toBe(401);
      expectNoContent(await ending.client.get("/verify"));
    }
    return ending;
  }

  test("counts from its commit on, even if transactions that began later have committed before it", async () => {
    const { client } = await overtaken();
    await slow.query("commit");
    expect((await client.get("/verify")).status).toBe(401);
  });

  test("that is rolled back changes nothing", async () => {
    const { client } = await overtaken();
    await slow.query("rollback");
    expectNoContent(await client.get("/verify"));
  });

  test("stays noted until ten minutes after every transaction of its time has ended", async () => {
    const { parts } = server.latchkey;
    const count = async () =>
      Number((await server.database.read("select count(*) from session_change"))[0]?.count);
    const pruneLater = async (minutes: number) => {
      await server.database.read(`update session_change_mark set at = at - interval '${minutes} minutes'`);
      await prune(parts, server.clock.now());
    };
    const { client } = await overtaken();
    const before = await count();
    await pruneLater(9);
    expect(await count()).toBe(before);
    await pruneLater(11);
    await pruneLater(11);
    expect(await count()).toBeGreaterThan(0);
    await slow.query("commit");
    await pruneLater(11);
    expect((await client.get("/verify")).status).toBe(401);
    await pruneLater(11);
    expect(await count()).toBe(0);
  });

  test("and thousands of others are deleted in a few transactions, so that their notes can't pile up", async () => {
    const { parts } = server.latchkey;
    await prune(parts, server.clock.now());
    await server.database.read(
      "insert into session_change (ids) select 's' || n from generate_series(1, 2000) n",
    );
    await server.database.read(
      "update session_change_mark set at = at - interval '1 hour', oldest = pg_current_xact_id()",
    );
    let transactions = 0;
    const write: typeof parts.database.write = (work, durability) => {
      transactions += 1;
      return parts.database.write(work, durability);
    };
    const counted = { ...parts, database: { ...parts.database, write } };
    expect((await prune(counted, server.clock.now())).rows).toBeGreaterThanOrEqual(2_000);
    expect(transactions).toBeLessThan(30);
  });
});

describe.runIf(engineNames().includes("postgres"))(
  "A PostgreSQL that crashes and starts again by itself",
  () => {
    test("lets no session in that ended afterwards, even though it issues transaction numbers twice", async () => {
      const postgres = await startPostgres();
      const engine = postgresAt(postgres.url);
      const server = await startServer({ engine, rateLimits: "off" });
      const person = await signUp(server);
      const ending = await signIn(server, person, UA.firefoxWindows);
      await server.latchkey.parts.mailer.settled();
      const [process] = await server.database.read(
        "select pid from pg_stat_activity where backend_type = 'background writer'",
      );
      for (let lost = 0; lost < 5; lost++)
        await server.database.read("set synchronous_commit = off; select pg_notify('latchkey_sessions', '')");
      for (let check = 0; check < 3; check++) expectNoContent(await ending.client.get("/verify"));
      kill(Number(process?.pid), "SIGKILL");
      const text = `delete from session where id = '${ending.session.id}'`;
      await expect
        .poll(() => server.database.read(text).then(() => "done"), { timeout: 30_000 })
        .toBe("done");
      await expect
        .poll(async () => (await ending.client.get("/verify")).status, { timeout: 30_000 })
        .not.toBe(503);
      expect((await ending.client.get("/verify")).status).toBe(401);
      expectNoContent(await person.client.get("/verify"));
      await server.close();
      await postgres.stop();
    }, 90_000);
  },
);
