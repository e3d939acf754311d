import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** A row of a table in a document, by its cells. */
export type Row = string[];

/** The rows of all tables of a document whose first cell looks like this. */
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

/** The tests that a cell names: `[title](../file)`, the title exactly as it stands there. */
export function testsIn(cell: string): { title: string; file: string }[] {
  const links = [...cell.matchAll(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(\.\.\/((?:src|tests)\/[^)]+\.test\.ts)\)/g)];
  return links.map(([, title = "", file = ""]) => ({ title, file }));
}

/** Those of a cell's tests that aren't there: no such file, or no test or suite of that title in it. */
export function missingIn(cell: string): string[] {
  return testsIn(cell)
    .filter(({ file, title }) => !titlesIn(file).has(title))
    .map(({ file, title }) => `${file}: ${title}`);
}

const known = new Map<string, Set<string>>();

/** Whatever is the first argument of `test`, of a suite, or of a table of either; what is skipped isn't there. */
const TITLE = /(?:\b(?:test|it|describe\w*)\s*|\))\(\s*(["`])((?:(?!\1)[^\\]|\\.)*)\1\s*,/g;

function titlesIn(file: string): Set<string> {
  const found = known.get(file);
  if (found) return found;
  const text = existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), "utf8") : "";
  const titles = new Set([...text.matchAll(TITLE)].map(([, , title = ""]) => title.replaceAll('\\"', '"')));
  known.set(file, titles);
  return titles;
}
