import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

export type Bound = { atLeast: number } | { atMost: number };

/**
 * One number that a bench has measured. `id` is what the plots know it by; `beside` is a remark, and isn't
 * compared with anything.
 */
export type Row = {
  id: string;
  what: string;
  value: number;
  spread: number;
  unit: string;
  bound?: Bound;
  beside?: string;
};

export type Result = { bench: string; date: string; machine: string; rounds: number; rows: Row[] };

export type Options = { rounds: number; sessions: number | undefined; progress(line: string): void };

export type Bench = {
  about: string;
  rounds: number;
  run(options: Options): Promise<Row[]>;
};

/** The median, and half of the interquartile range of the rounds. */
export function summary(values: readonly number[]): { value: number; spread: number } {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { value: at(0.5), spread: (at(0.75) - at(0.25)) / 2 };
}

export function machine(): string {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${processors.length} cores (${processors[0]?.model ?? "unknown"}), ${memory} GB, ${process.platform}, Node ${process.versions.node}`;
}

/** Missed by more than the spread. */
export function isMissed({ value, spread, bound }: Row): boolean {
  if (bound === undefined) return false;
  return "atLeast" in bound ? value + spread < bound.atLeast : value - spread > bound.atMost;
}

export function asMarkdown({ bench, date, machine: where, rounds, rows }: Result): string {
  const lines = rows.map(
    (row) =>
      `| ${row.what} | ${shown(row.value)} ±${shown(row.spread)}${row.unit === "" ? "" : ` ${row.unit}`} | ${boundOf(row)} | ${row.beside ?? ""} |`,
  );
  return [
    `### ${bench}`,
    "",
    `${date.slice(0, 16).replace("T", " ")} UTC, ${rounds} ${rounds === 1 ? "round" : "rounds"}; ${where}`,
    "",
    "| what | median ± spread | bound | |",
    "|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}

function boundOf(row: Row): string {
  if (row.bound === undefined) return "";
  const words = "atLeast" in row.bound ? `≥ ${row.bound.atLeast}` : `≤ ${row.bound.atMost}`;
  return isMissed(row) ? `${words}, **missed**` : words;
}

function shown(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** Adds the measurements to a file, and replaces those that it had of the same benches. */
export function save(file: string, results: readonly Result[]): void {
  const known: Result[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const others = known.filter(({ bench }) => !results.some((result) => result.bench === bench));
  const all = [...others, ...results].sort((one, other) => one.bench.localeCompare(other.bench));
  writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}
