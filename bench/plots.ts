import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bar, bars, lines, type Series } from "./drawing.ts";
import type { Result, Row } from "./results.ts";

/**
 * `node bench/plots.ts RESULTS.json FOLDER`: draws into FOLDER what `npm run bench -- --json RESULTS.json`
 * has measured, one picture for each subject that the file has numbers for.
 */
const [file, folder] = process.argv.slice(2);
if (file === undefined || folder === undefined) {
  console.error("node bench/plots.ts RESULTS.json FOLDER");
  process.exit(2);
}
const results: Result[] = JSON.parse(readFileSync(file, "utf8"));
const drawn = {
  "performance-peers.svg": peers(),
  "performance-sizes.svg": sizes(),
  "performance-late.svg": late(),
};
for (const [name, svg] of Object.entries(drawn)) {
  if (svg === null) console.log(`${name} isn't drawn: ${file} has no numbers for it.`);
  else writeFileSync(join(folder, name), svg);
}

function peers(): string | null {
  const found = resultOf("peers");
  if (found === undefined) return null;
  const drawnBars = found.rows.map((row): Bar => {
    const [perSecond] = row.beside?.split(" ") ?? [];
    return { ...barOf(row), label: row.id, more: `${perSecond}/s`, isOurs: row.id.startsWith("Latchkey") };
  });
  return bars({
    title: "What is left of an app's requests a second behind its session check",
    note: `share of the same app's unguarded route, 1,000 sessions in turn; ${noteOf(found)}`,
    bars: drawnBars,
  });
}

function sizes(): string | null {
  const found = resultOf("sizes");
  if (found === undefined) return null;
  const series = (kind: string, name: string): Series => ({
    name,
    points: found.rows
      .filter(({ id }) => id.startsWith(`${kind} `))
      .map(({ id, value, spread }) => ({ x: Number(id.split(" ")[1]), value, spread })),
  });
  return lines({
    title: "A check's throughput against the size of the table, SQLite",
    note: `share of the unguarded route; ${noteOf(found)}`,
    series: [series("hot", "1,000 sessions in turn"), series("random", "sessions at random")],
  });
}

/** The 99th percentiles of all benches that run checks alongside another load. */
function late(): string | null {
  const wanted: [bench: string, id: string, label: string][] = [
    ["sign-ins", "late sign-ins", "while sign-ins flood, SQLite"],
    ["sign-ins", "late refusals", "while refusals (429) flood, SQLite"],
    ["prune", "SQLite late", "while it prunes, SQLite"],
    ["prune", "PostgreSQL late", "while it prunes, PostgreSQL"],
  ];
  const drawnBars = wanted.flatMap(([bench, id, label]): Bar[] => {
    const row = resultOf(bench)?.rows.find((one) => one.id === id);
    return row ? [{ ...barOf(row), label, more: row.beside ?? "", isOurs: true }] : [];
  });
  const found = resultOf("sign-ins") ?? resultOf("prune");
  if (found === undefined || drawnBars.length === 0) return null;
  return bars({
    title: "The checks' 99th percentile, as a multiple of that on an idle server",
    note: `64 connections, the dashed line is the bound; ${noteOf(found)}`,
    bars: drawnBars,
  });
}

function resultOf(bench: string): Result | undefined {
  return results.find((result) => result.bench === bench);
}

function barOf({ value, spread, bound }: Row) {
  return { value, spread, ...(bound && "atMost" in bound ? { bound: bound.atMost } : {}) };
}

function noteOf({ machine, rounds, date }: Result): string {
  return `${rounds} ${rounds === 1 ? "round" : "rounds"}, ${machine}, ${date.slice(0, 10)}`;
}
