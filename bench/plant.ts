import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { openPostgres } from "../src/database/postgres/postgres.ts";
import { openSqliteFile } from "../src/database/sqlite/file.ts";
import { hashToken } from "../src/database/token-hash.ts";

const DAY = 86_400_000;
const CACHE = 4_000_000; // kB, so that the pages of 10 million sessions' indexes stay in memory

/**
 * `expired` is how many sessions, the first ones, have expired; `perAccount` how many each account has. From
 * `boundFrom` on they are bound to a device, each by a bound cookie whose token is its number.
 */
export type Plan = { sessions: number; perAccount?: number; expired?: number; boundFrom?: number };

/** The cookie of a planted session, whose token is its number. */
export function plantedCookie(number: number): string {
  return `latchkey=lk1_${String(number).padStart(43, "0")}`;
}

/** The same on https, where a session can be bound. */
export function plantedSecureCookie(number: number, isBound: boolean): string {
  const secret = String(number).padStart(43, "0");
  const cookie = `__Host-latchkey=lk1_${secret}`;
  return isBound ? `${cookie}; __Host-latchkey-bound=${secret}` : cookie;
}

export function plantedAccount(number: number): string {
  return `a${String(number).padStart(21, "0")}`;
}

export function plantedSession(number: number): string {
  return `s${String(number).padStart(21, "0")}`;
}

/** Creates a database with this many sessions, bypassing the rules, which would take days for ten million. */
export async function plant(databaseUrl: string, plan: Plan): Promise<void> {
  if (databaseUrl.startsWith("sqlite:")) plantSqlite(databaseUrl.slice("sqlite:".length), plan);
  else await plantPostgres(databaseUrl, plan);
}

function plantSqlite(file: string, plan: Plan): void {
  openSqliteFile(file).close();
  const open = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  const secret = (number: unknown) => String(number).padStart(43, "0");
  open.function("hash_of", { deterministic: true }, (number) => hashToken(`lk1_${secret(number)}`));
  open.function("bound_hash_of", (id) => hashToken(secret(Number(String(id).slice(1)))));
  open.exec(
    `pragma locking_mode = exclusive; pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -${CACHE}`,
  );
  const numbers = (count: number) =>
    `(with recursive n(n) as (select 0 union all select n + 1 from n where n < ${count - 1}) select n from n)`;
  const pad = (number: string) => `printf('%021d', ${number})`;
  // In the order of the primary key, or each row would be written to a different page.
  const hashed = `(select hash_of(n) as hash, n from ${numbers(plan.sessions)} order by hash)`;
  open.exec(
    `begin; ${accounts(plan, pad, numbers)}; ${sessions(plan, pad, "hash", hashed)};
     ${binding(plan, "bound_hash_of(id)")}; commit; analyze`,
  );
  open.close();
}

async function plantPostgres(url: string, plan: Plan): Promise<void> {
  await (await openPostgres({ url, listenUrl: null, notice: () => {} })).close();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const numbers = (count: number) => `generate_series(0, ${count - 1}) numbers (n)`;
  const pad = (number: string) => `lpad((${number})::text, 21, '0')`;
  const hash = "sha256(convert_to('lk1_' || lpad(n::text, 43, '0'), 'UTF8'))";
  await client.query(accounts(plan, pad, numbers));
  await client.query(sessions(plan, pad, hash, numbers(plan.sessions)));
  await client.query(binding(plan, "sha256(convert_to(lpad(substr(id, 2), 43, '0'), 'UTF8'))"));
  await client.query("vacuum analyze");
  await client.end();
}

type Pad = (number: string) => string;

function accounts({ sessions, perAccount = 1 }: Plan, pad: Pad, numbers: (count: number) => string): string {
  const now = Date.now();
  return `insert into account (id, email, email_key, email_verified_at, created_at)
    select 'a' || ${pad("n")}, 'p' || n || '@example.test', 'p' || n || '@example.test', ${now}, ${now}
    from ${numbers(Math.ceil(sessions / perAccount))}`;
}

function sessions({ perAccount = 1, expired = 0 }: Plan, pad: Pad, hash: string, from: string): string {
  const now = Date.now();
  const ends = `case when n < ${expired} then ${now - DAY} else ${now + 20 * DAY} end`;
  return `insert into session (token_hash, id, account_id, browser, os, label, created_at, expires_at, last_used_at,
      signed_in_with, method_id, proved_at, replacement_key)
    select ${hash}, 's' || ${pad("n")}, 'a' || ${pad(`n / ${perAccount}`)}, 'Chrome', 'Mac OS', 'Chrome on Mac OS',
      ${now}, ${ends}, ${now}, 'password', 'password', ${now}, 'Chrome|' || n from ${from}`;
}

function binding({ sessions, boundFrom = sessions }: Plan, hash: string): string {
  const now = Date.now();
  return `update session set binding_key = '{}', bound_at = ${now}, bound_hash = ${hash}, bound_until = ${now + DAY}
    where id >= '${plantedSession(boundFrom)}'`;
}
