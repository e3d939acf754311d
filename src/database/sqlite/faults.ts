import { DatabaseUnavailable } from "../database.ts";

const SQLITE_BUSY = 5;
export const SQLITE_NOTADB = 26;

/**
 * SQLite's primary result codes that mean "not now", whatever the statement: permissions (3), locks (5,
 * 6), memory (7), a file that can't be written (8), an interruption (9), a disk error (10), a damaged file
 * (11), a full disk (13), a file that can't be opened (14), the locking protocol (15), not a database (26).
 */
const NOT_NOW = new Set([3, SQLITE_BUSY, 6, 7, 8, 9, 10, 11, 13, 14, 15, SQLITE_NOTADB]);

/** SQLite's primary result code; null for an error that isn't SQLite's. */
export function resultCode(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === "number" ? errcode % 256 : null;
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY;
}

/** The file is damaged (11), or not a database (26). */
export function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return code === 11 || code === SQLITE_NOTADB;
}

/**
 * Turns the errors of a file that can't be used now into DatabaseUnavailable; a bug's error stays as it is.
 */
export function asUnavailable(error: unknown): unknown {
  const code = resultCode(error);
  if (!isClosed(error) && (code === null || !NOT_NOW.has(code))) return error;
  return new DatabaseUnavailable("The database file can't be used.", { cause: error });
}

/** The error that Node throws when a closed database, or one of its statements, is used. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "ERR_INVALID_STATE";
}
