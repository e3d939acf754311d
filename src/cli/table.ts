import { UsedWrongly } from "./command.ts";

export const LIMIT_FLAG = { limit: { type: "string" } } as const;
export const LIMIT_HELP = { limit: "How many at most. Default 100." };

const DEFAULT_LIMIT = 100;

export function readLimit(flags: Readonly<Record<string, unknown>>): number {
  const { limit } = flags;
  if (limit === undefined) return DEFAULT_LIMIT;
  if (typeof limit === "string" && /^[1-9]\d{0,8}$/.test(limit)) return Number(limit);
  throw new UsedWrongly("--limit takes a whole number from 1.");
}

/** Lines of a table, each column as wide as its widest cell. */
export function table(heads: string[], rows: string[][]): string[] {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [heads, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
