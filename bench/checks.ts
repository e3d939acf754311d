import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import type { LookUp } from "../src/database/database.ts";
import { openPostgres } from "../src/database/postgres/postgres.ts";
import { openSqlite } from "../src/database/sqlite/sqlite.ts";
import { hashToken } from "../src/database/token-hash.ts";
import { startPostgres } from "../tests/support/databases/postgres.ts";

/**
 * `node bench/checks.ts [SESSIONS]`: checks per second on both engines with a million sessions, and bytes per
 * row of every table that grows with the sessions. Only ratios within one run count: every absolute number
 * includes the machine's other work.
 */
const sessions = Number(process.argv[2] ?? 1_000_000);
const accounts = Math.ceil(sessions / 5);
const tokenOf = (number: number) => `token ${number}`;
const hashOf = (number: number) => hashToken(tokenOf(number));

const postgres = await startPostgres();
const client = new pg.Client({ connectionString: postgres.url });
await client.connect();
await measurePostgres(postgres.url);
await client.end();
await postgres.stop();
await measureSqlite();

async function measurePostgres(url: string): Promise<void> {
  const database = await openPostgres({ url, listenUrl: null, notice: () => {} });
  await client.query(`insert into account (id, email, email_key, password_hash, created_at)
    select 'account-' || lpad(n::text, 14, '0'), 'person' || n || '@example.com', 'person' || n || '@example.com', repeat('x', 97), 1795500000000 from generate_series(1, ${accounts}) n`);
  await client.query(`insert into session (token_hash, id, account_id, browser, os, label, created_at, expires_at, last_used_at, signed_in_with, method_id, proved_at, replacement_key, device_hash)
    select sha256(convert_to('token ' || n, 'UTF8')), 'session-' || lpad(n::text, 14, '0'), 'account-' || lpad((1 + n % ${accounts})::text, 14, '0'), 'Chrome', 'Mac OS', 'Chrome on Mac OS',
    1795500000000, 1798092000000, 1795500000000, 'password', 'password', 1795500000000, 'Chrome|' || n, sha256(convert_to('device ' || n, 'UTF8')) from generate_series(1, ${sessions}) n`);
  await fillHistory();
  await client.query("vacuum analyze");
  for (const [table, rows] of [
    ["account", accounts],
    ["session", sessions],
    ["activity", 2 * sessions],
    ["ended_session", sessions],
    ["known_device", sessions],
  ] as const) {
    const { rows: sizes } = await client.query(
      `select pg_table_size('${table}') as heap, pg_indexes_size('${table}') as indexes`,
    );
    const bytes = (size: unknown) => Math.round(Number(size) / rows);
    console.log(
      `PostgreSQL, ${table}: ${bytes(sizes[0].heap)} bytes a row, and ${bytes(sizes[0].indexes)} in its indexes`,
    );
  }
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const oneByOne: LookUp = async ([token = ""]) => {
    const { rows } = await pool.query({
      name: "one",
      text: "select * from session join account on account.id = session.account_id where token_hash = $1",
      values: [hashToken(token)],
    });
    return [rows[0]];
  };
  const single = await rate(oneByOne, 100);
  const batched = await rate(database.lookUp, 100);
  console.log(
    `PostgreSQL, one by one: ${single} checks a second; batched: ${batched} (${(batched / single).toFixed(1)} times)`,
  );
  await pool.end();
  await database.close();
}

/** What each session leaves behind: two rows of activity, the reason why it ended, a known browser. */
async function fillHistory(): Promise<void> {
  const account = `'account-' || lpad((1 + n % ${accounts})::text, 14, '0')`;
  const numbers = `from generate_series(1, ${sessions}) n`;
  const line = (id: string, kind: string, detail: string) =>
    `insert into activity (id, account_id, kind, at, label, detail) select '${id}' || lpad(n::text, 17, '0') || '0000000', ${account}, '${kind}', 1795500000000, 'Chrome on Mac OS', '${detail}' ${numbers}`;
  await client.query(line("m1", "signed_in", "{}"));
  await client.query(line("m2", "session_ended", '{"reason":"replaced","by":"Chrome on Mac OS"}'));
  await client.query(`insert into ended_session (token_hash, session_id, account_id, reason, by, at, until)
    select sha256(convert_to('ended ' || n, 'UTF8')), 'session-' || lpad(n::text, 14, '0'), ${account}, 'replaced', 'Chrome on Mac OS', 1795500000000, 1798092000000 ${numbers}`);
  await client.query(`insert into known_device (account_id, device_hash, last_seen_at)
    select ${account}, sha256(convert_to('device ' || n, 'UTF8')), 1795500000000 ${numbers}`);
}

async function rate(lookUp: LookUp, atOnce: number, among = sessions): Promise<number> {
  const end = performance.now() + 4_000;
  const began = performance.now();
  let done = 0;
  const worker = async () => {
    while (performance.now() < end) {
      const [found] = await lookUp([tokenOf(1 + Math.floor(Math.random() * among))]);
      if (!found) throw new Error("A session was not found.");
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return Math.round((done * 1_000) / (performance.now() - began));
}

async function measureSqlite(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const file = join(folder, "latchkey.db");
  const database = openSqlite(file);
  const open = new DatabaseSync(file);
  open.function("hash_of", (number) => hashOf(Number(number)));
  open.exec(`begin;
    with recursive n(n) as (select 1 union all select n + 1 from n where n < ${accounts})
    insert into account (id, email, email_key, password_hash, created_at) select printf('account-%014d', n), 'person' || n || '@example.com', 'person' || n || '@example.com', printf('%.97c', 'x'), 1795500000000 from n;
    with recursive n(n) as (select 1 union all select n + 1 from n where n < ${sessions})
    insert into session (token_hash, id, account_id, browser, os, label, created_at, expires_at, last_used_at, signed_in_with, method_id, proved_at, replacement_key, device_hash)
    select hash_of(n), printf('session-%014d', n), printf('account-%014d', 1 + n % ${accounts}), 'Chrome', 'Mac OS', 'Chrome on Mac OS', 1795500000000, 1798092000000, 1795500000000, 'password', 'password', 1795500000000, 'Chrome|' || n, hash_of(-n) from n;
    commit; pragma wal_checkpoint(truncate)`);
  console.log(
    `SQLite: ${Math.round(statSync(file).size / sessions)} bytes a session, its fifth of an account and all indexes included`,
  );
  const time = async (what: string, among: number) => {
    const perSecond = await rate(database.lookUp, 100, among);
    console.log(`SQLite, ${what}: ${(1e6 / perSecond).toFixed(1)} µs a look-up`);
  };
  await time("a million sessions at random", sessions);
  await time("a thousand sessions again and again", 1_000);
  open.close();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
}
