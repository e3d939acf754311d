import { DatabaseUnavailable, DatabaseUnusable, type Notice } from "../database.ts";
import { deadlineIn } from "../deadline.ts";
import { announceUpgrade, migrationsOf, pendingMigrations, whyForeign } from "../migrations.ts";
import { sqlState } from "./faults.ts";
import { ask, type Client, giveBack, isBroken, type Pool, STATEMENT_LIMIT, takeClient } from "./pool.ts";

const LEAST_VERSION = 150_000;
/** Any number, as long as every node uses the same one. */
const MIGRATION_LOCK = 7_305_881_201;
/** A migration may build an index over 500 million rows; in ms. */
const MIGRATION_LIMIT = 3_600_000;
/**
 * A node that doesn't get the lock within 4 s gives up until its next request, since another node is
 * migrating. The connection's own limit on statements doesn't apply here.
 */
const BEGIN = `begin isolation level read committed; set local statement_timeout = ${MIGRATION_LIMIT}; set local lock_timeout = 4000; set local idle_in_transaction_session_timeout = 10000`;

/**
 * Brings the schema up to date under a lock, so that only one of several starting nodes migrates.
 * @throws DatabaseUnusable with one line that names the setting; DatabaseUnavailable if the server doesn't
 * answer.
 */
export async function preparePostgres(pool: Pool, notice: Notice): Promise<void> {
  try {
    const client = await takeClient(pool, deadlineIn(STATEMENT_LIMIT));
    try {
      await requireVersion(client);
      await migrate(client, notice);
      await requireRights(client);
    } finally {
      giveBack(client);
    }
  } catch (error) {
    throw inOneLine(error);
  }
}

async function requireVersion(client: Client): Promise<void> {
  const { rows } = await ask<{ number: number; name: string }>(client, {
    text: "select current_setting('server_version_num')::int as number, current_setting('server_version') as name",
  });
  const server = rows[0];
  if (!server || server.number < LEAST_VERSION) {
    throw new DatabaseUnusable(
      `DATABASE_URL: this server is PostgreSQL ${server?.name}; Latchkey needs 15 or newer.`,
    );
  }
}

async function migrate(client: Client, notice: Notice): Promise<void> {
  const before = await schemaVersion(client);
  const pending = pendingMigrations("postgres", before);
  if (pending.length === 0) return;
  announceUpgrade(notice, before, pending);
  await ask(client, { text: BEGIN });
  try {
    await ask(client, { text: `select pg_advisory_xact_lock(${MIGRATION_LOCK})` });
    await requireOwnSchema(client);
    await ask(client, {
      text: "create table if not exists latchkey_schema (version int primary key, migrated_at timestamptz not null default now())",
    });
    for (const { version, sql } of pendingMigrations("postgres", await schemaVersion(client))) {
      await ask(client, { text: sql }, deadlineIn(MIGRATION_LIMIT));
      await ask(client, { text: "insert into latchkey_schema (version) values ($1)", values: [version] });
    }
    await ask(client, { text: "commit" });
  } catch (error) {
    if (!isBroken(client)) await ask(client, { text: "rollback" });
    throw before > 0 && isForbidden(error) ? notOwner(error.cause) : error;
  }
}

/** Checks before anything is written that no other program has tables of these names in the schema. */
async function requireOwnSchema(client: Client): Promise<void> {
  const { rows } = await ask<{ name: string }>(client, {
    text: "select relname as name from pg_class where relnamespace = current_schema()::regnamespace",
  });
  const names = new Set(rows.map(({ name }) => name));
  const why = whyForeign("postgres", await schemaVersion(client), names);
  if (why === null) return;
  throw new DatabaseUnusable(
    `DATABASE_URL: the database belongs to another program: ${why}. Give Latchkey a database or a schema of its own; nothing was changed.`,
  );
}

async function schemaVersion(client: Client): Promise<number> {
  const { rows: tables } = await ask<{ readable: boolean }>(client, {
    text: "select has_table_privilege(to_regclass('latchkey_schema'), 'select') as readable where to_regclass('latchkey_schema') is not null",
  });
  if (!tables[0]) return 0;
  if (!tables[0].readable) throw missingRight("select", "latchkey_schema");
  const { rows } = await ask<{ version: number }>(client, {
    text: "select coalesce(max(version), 0) as version from latchkey_schema",
  });
  return Number(rows[0]?.version);
}

const RIGHTS = ["select", "insert", "update", "delete"];

/** Checks all rights at the start: if some were missing, single requests would fail later. */
async function requireRights(client: Client): Promise<void> {
  const tables = migrationsOf("postgres").flatMap(({ sql }) =>
    [...sql.matchAll(/^create table (\w+)/gm)].map(([, name]) => name),
  );
  const { rows } = await ask<{ name: string; missing: string }>(client, {
    text: `select name, missing from unnest($1::text[]) as name, unnest($2::text[]) as missing
      where to_regclass(name) is not null and not has_table_privilege(name, missing) limit 1`,
    values: [tables, RIGHTS],
  });
  if (rows[0]) throw missingRight(rows[0].missing, rows[0].name);
}

function missingRight(right: string, table: string): DatabaseUnusable {
  return new DatabaseUnusable(
    `DATABASE_URL: this user may not ${right} in the table ${table}; grant it ${RIGHTS.join(", ")} on all of Latchkey's tables.`,
  );
}

/** After an upgrade, for a user who may use the tables but doesn't own them. */
function notOwner({ message }: Error): DatabaseUnusable {
  return new DatabaseUnusable(
    `DATABASE_URL: the tables are of an older version, and this user doesn't own them; run latchkey migrate as the user who does (${message}).`,
  );
}

function isForbidden(error: unknown): error is DatabaseUnavailable & { cause: Error } {
  return error instanceof DatabaseUnavailable && sqlState(error.cause) === "42501";
}

/** The name of a container or machine can't be resolved until it runs, so this error may be temporary. */
const UNKNOWN_NAME = /^(ENOTFOUND|EAI_AGAIN)$/;

const REMEDIES: [RegExp, string][] = [
  [/^28/, "the server refused this user or password"],
  [/^3D000$/, "there is no such database on the server; create it first"],
  [/^(42501|3F000)$/, "this user may not create tables; grant it rights on the schema"],
  [UNKNOWN_NAME, "the server's name is not known"],
  [
    /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/,
    "the server's certificate is not from an authority known here; name its authority's file with sslrootcert=, or don't verify it with sslmode=no-verify",
  ],
  [/CERT|TLS|SSL/, "the encrypted connection failed; check sslmode and the server's certificate"],
];

function inOneLine(error: unknown): unknown {
  if (error instanceof DatabaseUnusable) return error;
  const cause = error instanceof DatabaseUnavailable ? error.cause : error;
  if (!(cause instanceof Error)) return error;
  const code = String((cause as { code?: unknown }).code ?? "");
  const noTls = /does not support SSL/i.test(cause.message) ? "TLS" : code;
  const remedy = REMEDIES.find(([pattern]) => pattern.test(noTls))?.[1];
  if (remedy) {
    const sentence = `DATABASE_URL: ${remedy} (${cause.message}).`;
    return UNKNOWN_NAME.test(code)
      ? new DatabaseUnavailable(sentence, { cause })
      : new DatabaseUnusable(sentence);
  }
  return error instanceof DatabaseUnavailable
    ? error
    : new DatabaseUnavailable("The database did not answer.", { cause });
}
