import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { missingIn, rowsOf, testsIn } from "./support/browsers/shown.ts";

const DOCUMENT = "docs/asvs.md";
const STATES = ["met", "in part", "not met", "deployment", "doesn't apply"];

const requirements = rowsOf(DOCUMENT, /^\d+\.\d+\.\d+$/);
const counts = rowsOf(DOCUMENT, /^[123]$/);

test("The ASVS table lists each of the 232 requirements once, and counts them correctly", () => {
  const ids = requirements.map(([id]) => id);
  expect(ids).toHaveLength(232);
  expect(new Set(ids).size).toBe(232);
  for (const [level, ...counted] of counts) {
    const ofLevel = requirements.filter((row) => row[1] === level);
    const found = STATES.map((state) => ofLevel.filter((row) => row[3] === state).length);
    expect(counted.map(Number), `level ${level}`).toEqual(found);
  }
  expect(counts).toHaveLength(3);
});

describe("Every requirement of ASVS", () => {
  test.each(requirements)("%s is met by tests or documents that exist, or its row says why not", (...row) => {
    const [, , asks, state = "", shown = ""] = row;
    expect(asks).toMatch(/\w/);
    expect(STATES).toContain(state);
    expect(missingIn(shown)).toEqual([]);
    if (state === "in part") expect(testsIn(shown)).not.toEqual([]);
    // A sentence of its own if neither a test nor a document shows it.
    if (testsIn(shown).length === 0 && !shown.includes("](")) expect(shown).toMatch(/\w.*\.$/);
  });
});

test("Every heading that the table links to exists", () => {
  const text = readFileSync(join(import.meta.dirname, "..", DOCUMENT), "utf8");
  const places = [...text.matchAll(/\]\(((?:\.\.\/)?[\w-]+\.md)#([\w-]+)\)/g)];
  expect(places.length).toBeGreaterThan(10);
  for (const [, file = "", heading = ""] of places) {
    const page = readFileSync(join(import.meta.dirname, "..", "docs", file), "utf8");
    const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, words = ""]) =>
      words
        .toLowerCase()
        .replace(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    expect(headings, file).toContain(heading);
  }
});
