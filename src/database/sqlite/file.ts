import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DatabaseUnusable, type Notice } from "../database.ts";
import { announceUpgrade, pendingMigrations, whyForeign } from "../migrations.ts";
import { resultCode } from "./faults.ts";

/** Files up to this size are checked in full at the start, which takes about 10 ms a MB. */
const CHECKED_WHOLE_BYTES = 64 * 1024 * 1024;

/**
 * How long a start waits while another process upgrades the file, in ms; half a million sessions take 10 s.
 */
const UPGRADE_TIMEOUT = 120_000;

/**
 * Opens the embedded database for writing and brings its schema up to date.
 * @throws DatabaseUnusable with one line for the operator; the file is then unchanged.
 */
export function openSqliteFile(file: string, notice: Notice = () => {}): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const isNew = !existsSync(file);
    database = new DatabaseSync(file);
    database.exec("pragma busy_timeout = 5000; pragma foreign_keys = on");
    if (isNew) chmodSync(file, 0o600);
    else inspect(database, file);
    database.exec("pragma journal_mode = wal; pragma synchronous = full");
    migrate(database, notice);
    database.exec("pragma busy_timeout = 0");
    return database;
  } catch (error) {
    database?.close();
    throw inOneLine(error, file);
  }
}

/**
 * Checks, before anything is written, that the file is an undamaged database of Latchkey's that isn't too
 * new.
 */
function inspect(database: DatabaseSync, file: string): void {
  const why = whyForeignFile(database);
  if (why !== null) {
    throw new DatabaseUnusable(
      `DATABASE_URL: ${file} belongs to another program: ${why}. Give Latchkey a file of its own; nothing was changed.`,
    );
  }
  pendingMigrations("sqlite", schemaVersion(database));
  if (statSync(file).size > CHECKED_WHOLE_BYTES) return;
  const row = database.prepare("pragma quick_check(1)").get();
  if (row?.quick_check !== "ok") throw new DatabaseUnusable(`${file} ${DAMAGED}.`);
}

function migrate(database: DatabaseSync, notice: Notice): void {
  const before = schemaVersion(database);
  const pending = pendingMigrations("sqlite", before);
  if (pending.length === 0) return;
  announceUpgrade(notice, before, pending);
  database.exec(`pragma busy_timeout = ${UPGRADE_TIMEOUT}; begin immediate`);
  try {
    for (const { version, sql } of pendingMigrations("sqlite", schemaVersion(database))) {
      database.exec(sql);
      database.exec(`pragma user_version = ${version}`);
    }
    database.exec("commit");
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

/** Why the file belongs to another program, as half a sentence; null if it doesn't. */
export function whyForeignFile(database: DatabaseSync): string | null {
  // In a transaction, so that both reads see the same state: another process may be migrating.
  database.exec("begin");
  try {
    const rows = database.prepare("select lower(name) as name from sqlite_schema").all();
    return whyForeign("sqlite", schemaVersion(database), new Set(rows.map(({ name }) => String(name))));
  } finally {
    database.exec("commit");
  }
}

export function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("pragma user_version").get()?.user_version);
}

const DAMAGED = "is damaged. Restore a backup; nothing was changed";

/** The operator's messages by SQLite's primary result code: BUSY, READONLY, CORRUPT, NOTADB. */
const REMEDIES: Readonly<Record<number, string>> = {
  5: "is locked by another program. Close it, then start again",
  8: "can't be written. Give this user the right to write the file and its folder",
  11: DAMAGED,
  26: "is not a Latchkey database. Point DATABASE_URL elsewhere; nothing was changed",
};
const SQLITE_CANTOPEN = 14;

function inOneLine(error: unknown, file: string): Error {
  if (error instanceof DatabaseUnusable || !(error instanceof Error)) return error as Error;
  const code = resultCode(error);
  if (code === SQLITE_CANTOPEN || "syscall" in error)
    return new DatabaseUnusable(
      `${file} can't be opened (${error.message}). Check DATABASE_URL and the rights of its folder.`,
    );
  const remedy = REMEDIES[code ?? 0];
  return remedy === undefined ? error : new DatabaseUnusable(`${file} ${remedy}.`);
}
