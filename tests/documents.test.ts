import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as client from "latchkey/client";
import * as react from "latchkey/react";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "CODE_OF_CONDUCT.md",
  "SECURITY.md",
  "examples/README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

test.each(DOCUMENTS)("every file that %s links to exists", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8");
  const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, to]) => to ?? "");
  // A path above a code block, alone or as a link to an example, is a file that the reader should create.
  const ours = text.replaceAll(/^(?:`[^`\n]+`|\[`[^`\n]+`\]\([^\n]+\)):\n\n```/gm, "");
  const named = [...ours.matchAll(/`((?:src|tests|bench|docs)\/[\w./-]+)`/g)].map(([, path]) => path ?? "");
  const missing = [
    ...links.filter((to) => !/^\w+:/.test(to) && !existsSync(join(ROOT, dirname(document), to))),
    ...named.filter((path) => !existsSync(join(ROOT, path))),
  ];
  expect(missing).toEqual([]);
});

test.each(DOCUMENTS)("every heading that %s links to exists", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8");
  const links = [...text.matchAll(/\]\(([^):#]*)#([^)]+)\)/g)];
  const missing = links
    .filter(([, to = ""]) => to === "" || to.endsWith(".md"))
    .filter(([, to = "", anchor = ""]) => {
      const target = to === "" ? text : readFileSync(join(ROOT, dirname(document), to), "utf8");
      return !headingsOf(target).includes(anchor);
    });
  expect(missing.map(([link]) => link)).toEqual([]);
});

/** The anchors of a page, as GitHub derives them from its headings. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, words = ""]) =>
    words
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test("every promise in the table names the file of its rule and a test", () => {
  const rows = readFileSync(join(ROOT, "docs/promises.md"), "utf8").match(/^\| [SB]\d+ \|.*$/gm) ?? [];
  expect(rows).toHaveLength(27);
  const unshown = rows.filter((row) => !row.includes("](../src/") || !row.includes(".test.ts)"));
  expect(unshown.map((row) => row.slice(0, 6))).toEqual([]);
});

test("docs/client.md names everything that latchkey/client and latchkey/react export", () => {
  const page = readFileSync(join(ROOT, "docs/client.md"), "utf8");
  const values = [client, react].flatMap((entry) => Object.keys(entry));
  const methods = Object.keys(client.createClient()).filter((name) => name !== "basePath");
  expect([...values, ...methods].filter((name) => !page.includes(name))).toEqual([]);
});
