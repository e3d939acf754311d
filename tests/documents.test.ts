import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/architecture.md",
  "docs/promises.md",
  "docs/security.md",
  "docs/forward-auth.md",
  "docs/moving-in.md",
  "docs/scaling.md",
];

test.each(DOCUMENTS)("every file that %s leads to is there", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8");
  const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, to]) => to ?? "");
  const named = [...text.matchAll(/`((?:src|tests|bench|docs)\/[\w./-]+)`/g)].map(([, path]) => path ?? "");
  const missing = [
    ...links.filter((to) => !/^\w+:/.test(to) && !existsSync(join(ROOT, dirname(document), to))),
    ...named.filter((path) => !existsSync(join(ROOT, path))),
  ];
  expect(missing).toEqual([]);
});

test("every promise of the table names the file of its rule and a test", () => {
  const rows = readFileSync(join(ROOT, "docs/promises.md"), "utf8").match(/^\| [SB]\d+ \|.*$/gm) ?? [];
  expect(rows).toHaveLength(27);
  const unshown = rows.filter((row) => !row.includes("](../src/") || !row.includes(".test.ts)"));
  expect(unshown.map((row) => row.slice(0, 6))).toEqual(["| B11 "]);
});
