import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { DatabaseUnavailable } from "../database/database.ts";
import { sqliteDialect } from "../database/sqlite/connection.ts";
import { SourceUnusable } from "./incoming.ts";

/** A snapshot of another system's database; nothing is ever written to it. */
export type OldDatabase = {
  /** The first table with one of these names; undefined if there is none. */
  table(...names: string[]): OldTable | undefined;
  close(): Promise<void>;
};

/** Keys are the column names in the old system's documentation. */
export type OldRow = Record<string, unknown>;

/**
 * A table, whatever the spelling of its columns: `userId`, `user_id` and `userid` are the same. Rows leave out
 * columns that the table doesn't have.
 */
export type OldTable = {
  has(column: string): boolean;
  count(): Promise<number>;
  /** The rows whose `id` follows `after`, ordered by `id`. */
  page(columns: readonly string[], after: unknown, most: number): Promise<OldRow[]>;
  /** Reads the rows of these users (by `userId`). Returns a function that gives the rows of one of them. */
  ofUsers(columns: readonly string[], userIds: readonly unknown[]): Promise<(userId: unknown) => OldRow[]>;
};

/** Opens a SQLite file or a `postgres://` address. @throws SourceUnusable in one line, without the address. */
export async function openOldDatabase(place: string): Promise<OldDatabase> {
  try {
    return await (isPostgres(place) ? openPostgres(place) : openSqlite(place.replace(/^sqlite:(\/\/)?/, "")));
  } catch (error) {
    throw unreadable(error, place);
  }
}

const isPostgres = (place: string) => /^postgres(ql)?:\/\//.test(place);

/** What went wrong with an old database, as one line; an address may hold a password and is never repeated. */
export function unreadable(error: unknown, place: string): unknown {
  if (error instanceof SourceUnusable || !(error instanceof Error)) return error;
  // SQLite's own error says more than "the file can't be used".
  const reason = error instanceof DatabaseUnavailable && error.cause instanceof Error ? error.cause : error;
  const code = (reason as { code?: unknown }).code;
  const which = isPostgres(place) ? "The old database" : place;
  return new SourceUnusable(`${which} can't be read: ${reason.message || String(code)}.`);
}

async function openSqlite(file: string): Promise<OldDatabase> {
  if (file.includes("://"))
    throw new SourceUnusable("latchkey import takes a SQLite file or a postgres:// address.");
  if (!statSync(file, { throwIfNoEntry: false })) throw new SourceUnusable(`${file} does not exist.`);
  const database = new DatabaseSync(file, { readOnly: true });
  const close = async () => database.close();
  try {
    database.exec("begin");
    return await readTables(new Kysely({ dialect: sqliteDialect(database) }), null, close);
  } catch (error) {
    await close();
    throw error;
  }
}

const TIMESTAMP = 1114;

/** Keeps a timestamp without a time zone as a string: the driver would read it in this machine's zone. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === TIMESTAMP ? (text: string) => text : pg.types.getTypeParser(oid, format),
};

async function openPostgres(url: string): Promise<OldDatabase> {
  const pool = new pg.Pool({ connectionString: url, max: 1, types, connectionTimeoutMillis: 10_000 });
  pool.on("error", () => {});
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const { rows } = await sql<{ name: string }>`select current_schema() as name`.execute(kysely);
    const moment = await kysely
      .startTransaction()
      .setIsolationLevel("repeatable read")
      .setAccessMode("read only")
      .execute();
    return await readTables(moment, rows[0]?.name ?? null, async () => {
      await moment
        .rollback()
        .execute()
        .catch(() => {});
      await kysely.destroy();
    });
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
}

async function readTables(
  kysely: Kysely<unknown>,
  schema: string | null,
  close: () => Promise<void>,
): Promise<OldDatabase> {
  const found = await kysely.introspection.getTables();
  const own = found.filter((one) => schema === null || one.schema === schema);
  const tables = new Map(
    own.map(({ name, columns }) => [
      plain(name),
      tableOf(
        kysely,
        name,
        columns.map((one) => one.name),
      ),
    ]),
  );
  return {
    table: (...names) => names.map((name) => tables.get(plain(name))).find((one) => one !== undefined),
    close,
  };
}

/** A name without underscores and capitals, in which spellings differ. */
const plain = (name: string) => name.replaceAll("_", "").toLowerCase();

function tableOf(kysely: Kysely<unknown>, name: string, columns: readonly string[]): OldTable {
  const spelled = new Map(columns.map((column) => [plain(column), column]));
  const ref = (column: string) => sql.ref(spelled.get(plain(column)) ?? column);
  const chosen = (wanted: readonly string[]) =>
    sql.join(
      wanted
        .filter((column) => spelled.has(plain(column)))
        .map((column) => sql`${ref(column)} as ${sql.ref(column)}`),
    );
  const table = sql.table(name);
  return {
    has: (column) => spelled.has(plain(column)),
    async count() {
      const { rows } = await sql<{ count: number | string }>`select count(*) as count from ${table}`.execute(
        kysely,
      );
      return Number(rows[0]?.count);
    },
    async page(wanted, after, most) {
      const id = ref("id");
      const rest = after === undefined ? sql`` : sql`where ${id} > ${after}`;
      const query = sql<OldRow>`select ${chosen(wanted)} from ${table} ${rest} order by ${id} limit ${most}`;
      return (await query.execute(kysely)).rows;
    },
    async ofUsers(wanted, userIds) {
      if (userIds.length === 0) return () => [];
      const query = sql<OldRow>`select ${chosen(wanted)} from ${table} where ${ref("userId")} in (${sql.join([...userIds])})`;
      const { rows } = await query.execute(kysely);
      const byUser = Map.groupBy(rows, ({ userId }) => String(userId));
      return (userId) => byUser.get(String(userId)) ?? [];
    },
  };
}
