import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const rows = [...readme.matchAll(/^\| \[.+?\]\(examples\/(\w+)\).*? \| (\d+) \| (.+) \|$/gm)];

describe("The table of lines in the README", () => {
  test("has the four frameworks", () => {
    expect(rows.map(([, name]) => name)).toEqual(["express", "hono", "fastify", "next"]);
  });

  test.each(rows.map(([, name = "", count, which = ""]) => ({ name, count: Number(count), which })))(
    "shows for $name the $count lines that its example has",
    ({ name, count, which }) => {
      const lines = [...which.matchAll(/`([^`]+)`/g)].map(([, line]) => line ?? "");
      expect(lines).toHaveLength(count);
      const sources = sourcesOf(join(ROOT, "examples", name));
      expect(lines.filter((line) => !sources.includes(line))).toEqual([]);
    },
  );

  test("names every setting that there is", () => {
    const options = readFileSync(join(ROOT, "src", "options.ts"), "utf8");
    const settings = new Set(options.match(/"(LATCHKEY_[A-Z_]+)"/g)?.map((name) => name.slice(1, -1)));
    expect(settings.size).toBeGreaterThan(10);
    expect([...settings].filter((name) => !readme.includes(`\`${name}`))).toEqual([]);
  });
});

function sourcesOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.jsx?$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
}
