import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** The cells of a table row in a document. */
export type Row = string[];

/** The rows of all tables in a document whose first cell looks like this. */
export function rowsOf(document: string, first: RegExp): Row[] {
  return readFileSync(join(ROOT, document), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .slice(2)
        .replace(/\s*\|$/, "")
        .split(/(?<!\\) \| /)
        .map((cell) => cell.replaceAll("\\|", "|").trim()),
    )
    .filter(([name = ""]) => first.test(name));
}

/** The tests that a cell names: `[title](../file)`, with the title exactly as it is in the file. */
export function testsIn(cell: string): { title: string; file: string }[] {
  const links = [...cell.matchAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(\.\.\/((?:src|tests)\/[^)]+\.test\.ts)\)/g)];
  return links.map(([, title = "", file = ""]) => ({ title, file }));
}

/** The tests of a cell that don't exist: no such file, or no test or suite with that title in it. */
export function missingIn(cell: string): string[] {
  return testsIn(cell)
    .filter(({ file, title }) => !titlesIn(file).has(title))
    .map(({ file, title }) => `${file}: ${title}`);
}

const known = new Map<string, Set<string>>();

/** Any first argument of `test`, of a suite, or of a table of either; skipped ones don't count. */
const TITLE = /(?:\b(?:test|it|describe\w*)\s*|\))\(\s*(["`])((?:(?!\1)[^\\]|\\.)*)\1\s*,/g;

function titlesIn(file: string): Set<string> {
  const found = known.get(file);
  if (found) return found;
  const text = existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), "utf8") : "";
  const titles = new Set([...text.matchAll(TITLE)].map(([, , title = ""]) => title.replaceAll('\\"', '"')));
  known.set(file, titles);
  return titles;
}
