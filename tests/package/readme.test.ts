import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SETTINGS } from "../../src/options/table.ts";
import { recipeOf } from "../support/runs/recipes.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const settingsPage = readFileSync(join(ROOT, "docs", "settings.md"), "utf8");
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
});

describe("The page on what it takes", () => {
  const page = readFileSync(join(ROOT, "docs", "what-it-takes.md"), "utf8");
  const walks = [...page.matchAll(/^\| \[.+?\]\((\w+\.md)\).*? \| ([1-9]) \| (\d+) \|/gm)];

  test.each(walks.map(([, of = "", files, lines]) => ({ of, files: Number(files), lines: Number(lines) })))(
    "counts $files files and $lines lines, as $of has",
    async ({ of, files, lines }) => {
      const contents = Object.values((await recipeOf(`docs/${of}`)).files);
      const typed = contents.flatMap((text) => text.split("\n")).filter((line) => line.trim() !== "");
      expect({ files: contents.length, lines: typed.length }).toEqual({ files, lines });
    },
  );

  test("has five of the integrations", () => {
    expect(walks).toHaveLength(5);
  });
});

describe("Every setting", () => {
  const documented = [...settingsPage.matchAll(/^\| (`[A-Z_`, ]+`) \| (.+?) \| (.+) \|$/gm)].flatMap(
    ([, variables = "", defaults = "", meaning = ""]) =>
      variables
        .split(", ")
        .map((name, at) => ({ variable: plain(name), byDefault: plain(defaults.split(", ")[at]), meaning })),
  );
  const table = readFileSync(join(ROOT, "src", "options", "table.ts"), "utf8");

  test.each(SETTINGS.map((setting) => ({ ...setting })))(
    "$variable is in the table of docs/settings.md, with its default and a sentence",
    ({ variable, byDefault }) => {
      const row = documented.find((one) => one.variable === variable);
      expect(row).toEqual({ variable, byDefault, meaning: expect.stringMatching(/\w+ \w+/) });
    },
  );

  test.each(SETTINGS.map((setting) => ({ ...setting })))(
    "$option has a comment for editors that names its variable and its default, and says what the help says",
    ({ option, variable, byDefault, sentence }) => {
      const comment = new RegExp(`/\\*\\* (.+) \\*/\\n {2}readonly ${option} `).exec(table)?.[1] ?? "";
      const [, name, words, value] = /^`(\w+)`: (.+)\. Default:? (.+)\.$/.exec(comment) ?? [];
      expect({ name, words, value: plain(value) }).toEqual({
        name: variable,
        words: sentence,
        value: byDefault,
      });
    },
  );
});

function plain(text = ""): string {
  return text.replaceAll("`", "");
}

function sourcesOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.jsx?$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
}

describe("The page on any framework", () => {
  const page = readFileSync(join(ROOT, "docs", "frameworks.md"), "utf8");
  const shown = [...page.matchAll(/^\[`[^`]+`\]\(\.\.\/(examples\/[^\n]+)\):\n\n```\w+\n([\s\S]*?)```/gm)];

  test.each(shown.map(([, file = "", content = ""]) => ({ file, content })))(
    "shows $file as it runs in the tests",
    ({ file, content }) => {
      expect(content).toBe(readFileSync(join(ROOT, file), "utf8"));
    },
  );

  test("shows what Nuxt and Astro need", () => {
    expect(shown).toHaveLength(7);
  });
});
