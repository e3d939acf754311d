import { DatabaseUnavailable, DatabaseUnusable } from "./database.ts";
import { inTheWay, pendingMigrations } from "./migrations.ts";
import type { Client, Pool } from "./postgres-pool.ts";
import { giveBack, takeClient } from "./postgres-pool.ts";

const LEAST_VERSION = 150_000;
/** Any number will do, as long as every node uses the same one. */
const MIGRATION_LOCK = 7_305_881_201;

/**
 * Brings the schema up to date under a lock, so that nodes that start at once migrate once.
 * @throws DatabaseUnusable with one line that names the setting; DatabaseUnavailable where nobody answers.
 */
export async function preparePostgres(pool: Pool): Promise<void> {
  try {
    const client = await takeClient(pool);
    try {
      await requireVersion(client);
      await migrate(client);
    } finally {
      giveBack(client);
    }
  } catch (error) {
    throw inOneLine(error);
  }
}

async function requireVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ number: number; name: string }>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as name",
  );
  const server = rows[0];
  if (!server || server.number < LEAST_VERSION) {
    throw new DatabaseUnusable(
      `DATABASE_URL: this server is PostgreSQL ${server?.name}; Latchkey needs 15 or newer.`,
    );
  }
}

async function migrate(client: Client): Promise<void> {
  if (pendingMigrations("postgres", await schemaVersion(client)).length === 0) return;
  await client.query("begin");
  try {
    await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await requireRoom(client);
    await client.query(
      "create table if not exists latchkey_schema (version int primary key, migrated_at timestamptz not null default now())",
    );
    for (const { version, sql } of pendingMigrations("postgres", await schemaVersion(client))) {
      await client.query(sql);
      await client.query("insert into latchkey_schema (version) values ($1)", [version]);
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** Looks before anything is written: does another program have tables of these names in the schema? */
async function requireRoom(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = current_schema()::regnamespace",
  );
  const names = new Set(rows.map(({ name }) => name));
  const why = inTheWay("postgres", await schemaVersion(client), names);
  if (why === null) return;
  throw new DatabaseUnusable(
    `DATABASE_URL: the database belongs to another program: ${why}. Give Latchkey a database or a schema of its own; nothing was changed.`,
  );
}

async function schemaVersion(client: Client): Promise<number> {
  const { rows: tables } = await client.query("select to_regclass('latchkey_schema') is not null as here");
  if (!tables[0]?.here) return 0;
  const { rows } = await client.query("select coalesce(max(version), 0) as version from latchkey_schema");
  return Number(rows[0]?.version);
}

const REMEDIES: [RegExp, string][] = [
  [/^28/, "the server refused this user or password"],
  [/^3D000$/, "there is no such database on the server; create it first"],
  [/^42501$/, "this user may not create tables; grant it rights on the schema"],
  [/^(ENOTFOUND|EAI_AGAIN|ERR_INVALID_URL)$/, "the server's name is not known"],
  [/CERT|TLS|SSL|SELF_SIGNED/, "the encrypted connection failed; check sslmode and the server's certificate"],
];

function inOneLine(error: unknown): unknown {
  if (error instanceof DatabaseUnusable) return error;
  const cause = error instanceof DatabaseUnavailable ? error.cause : error;
  if (!(cause instanceof Error)) return error;
  const code = String((cause as { code?: unknown }).code ?? "");
  const noTls = /does not support SSL/i.test(cause.message) ? "TLS" : code;
  const remedy = REMEDIES.find(([pattern]) => pattern.test(noTls))?.[1];
  if (remedy) return new DatabaseUnusable(`DATABASE_URL: ${remedy} (${cause.message}).`);
  return error instanceof DatabaseUnavailable
    ? error
    : new DatabaseUnavailable("The database did not answer.", { cause });
}
