import { DatabaseUnavailable } from "../database.ts";

/**
 * SQLSTATE classes and codes that mean "not now", whatever the statement: a lost connection (08), a
 * transaction that timed out or runs on a standby (25), a deadlock (40), a privilege that was revoked
 * (42501), missing resources (53), a lock or a statement that took too long (55P03, 57), system errors of the
 * server (58).
 */
const NOT_NOW = /^(08|25006|25P03|25P04|40001|40P01|42501|53|55P03|57|58)/;

/** After these errors the connection can't be used any more. */
const ENDS_CONNECTION = /^(08|25006|25P03|25P04|57P|58)/;

/** A pooler has used another server connection, where the statement's name is unknown, or taken already. */
const LOST_NAME = /^(26000|42P05)$/;

const DEADLOCK = /^(40P01|40001)$/;

/** The SQLSTATE, the server's error code of five characters; null for an error that isn't the server's. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && "severity" in error ? code : null;
}

/**
 * Turns the errors of a database that can't answer now into DatabaseUnavailable; a bug's error stays as it
 * is.
 */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable) return error;
  const state = sqlState(error);
  if (state !== null && !NOT_NOW.test(state)) return error;
  return new DatabaseUnavailable("The database did not answer.", { cause: error });
}

export function endsConnection(error: unknown): boolean {
  const state = sqlState(error);
  return state === null || ENDS_CONNECTION.test(state);
}

export function isLostName(error: unknown): boolean {
  return LOST_NAME.test(sqlState(error) ?? "");
}

/** The server ended this transaction to resolve a deadlock or a conflict: it may be tried again. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && DEADLOCK.test(sqlState(error.cause) ?? "");
}
