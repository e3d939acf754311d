import { DatabaseUnavailable } from "../database.ts";

/**
 * SQLSTATE classes and codes that mean "not now", whatever was asked: the connection (08), a transaction
 * that was ended for its time or on a standby (25), a deadlock (40), a right that was taken away (42501),
 * resources (53), a lock or an answer that took too long (55P03, 57), the server's own trouble (58).
 */
const NOT_NOW = /^(08|25006|25P03|25P04|40001|40P01|42501|53|55P03|57|58)/;

/** After these nothing more can be asked on the same connection. */
const ENDS_CONNECTION = /^(08|25006|25P03|25P04|57P|58)/;

/** A pooler has sent the next statement over another of its connections, where the name isn't known, or is taken. */
const LOST_NAME = /^(26000|42P05)$/;

const DEADLOCK = /^(40P01|40001)$/;

/** The five characters of the server's error code; null for an error that isn't the server's. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && "severity" in error ? code : null;
}

/** The error as requests have to see it: a store that can't answer now is DatabaseUnavailable, a bug stays what it is. */
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

/** Two transactions waited for each other: this one gave way and may be tried again. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && DEADLOCK.test(sqlState(error.cause) ?? "");
}
