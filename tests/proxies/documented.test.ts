import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

test("the nginx lines in the README are in the configuration that is tested", () => {
  const shown = /```nginx\n([\s\S]*?)```/.exec(read("README.md"))?.[1] ?? "";
  const words = (line: string) => line.replace(/#.*/, "").trim().replace(/\s+/g, " ");
  const tested = read("examples/nginx/nginx.conf").split("\n").map(words);
  const lines = shown
    .split("\n")
    .map(words)
    .filter((line) => line !== "");
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) expect(tested).toContain(line);
});

test.each(["README.md", "docs/forward-auth.md"])("every file that %s points to exists", (page) => {
  const targets = [...read(page).matchAll(/\]\(([^):#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? "");
  expect(targets.length).toBeGreaterThan(0);
  for (const target of targets) expect(existsSync(join(ROOT, dirname(page), target)), target).toBe(true);
});
