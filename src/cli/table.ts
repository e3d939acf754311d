import { type JsonFlag, print, say, UsageError } from "./terminal.ts";

export type ListFlags = JsonFlag & { limit: number };

/** Arguments for Commander's `option`: the flag, its help, its parser, its default. */
export const LIMIT_FLAG = ["--limit <NUMBER>", "How many at most.", readLimit, 100] as const;

function readLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError("--limit takes a whole number from 1.");
}

/** Prints rows, as JSON or as a table whose columns are as wide as their widest cells. */
export function printRows<Row>(
  rows: readonly Row[],
  { heads, cells }: { heads: string[]; cells: (row: Row) => string[] },
  { json, hasMore }: { json: true | undefined; hasMore: boolean },
): void {
  const lines = [heads, ...rows.map(cells)];
  const widths = heads.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, line[column]?.length ?? 0), 0),
  );
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  print(json ? JSON.stringify(rows, null, 2) : padded.map((line) => line.join("  ").trimEnd()).join("\n"));
  if (hasMore) say("There are more; ask for them with --limit.");
}
