/** Reads a string or a number as a string; null for anything else. */
export function readText(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "bigint" ? String(value) : null;
}

/** Reads a boolean in any of the forms that databases and their drivers use. */
export function readBoolean(value: unknown): boolean {
  return value === true || value === 1 || value === "1" || value === "true" || value === "t";
}

/** A smaller number counts seconds, a larger one milliseconds: this is the year 5138 in s, and 1973 in ms. */
const SECONDS_BELOW = 100_000_000_000;
const HAS_NO_ZONE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/;

/** Reads a time, in any form that a database holds it in, as ms since 1970. Without a time zone it is UTC. */
export function readTime(value: unknown): number | null {
  if (value instanceof Date) return readTime(value.getTime());
  if (typeof value === "bigint") return readTime(Number(value));
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return null;
    return Math.trunc(value < SECONDS_BELOW ? value * 1_000 : value);
  }
  if (typeof value !== "string") return null;
  if (/^\d{9,14}(\.\d+)?$/.test(value)) return readTime(Number(value));
  const ms = Date.parse(HAS_NO_ZONE.test(value) ? `${value.replace(" ", "T")}Z` : value);
  return Number.isNaN(ms) ? null : ms;
}
