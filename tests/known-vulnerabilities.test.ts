import { describe, expect, test } from "vitest";
import { missingIn, rowsOf, testsIn } from "./support/browsers/shown.ts";

const DOCUMENT = "docs/known-vulnerabilities.md";
const NUMBER = /^\d+$/;

const rows = rowsOf(DOCUMENT, NUMBER);
const vulnerabilities = rows.filter((row) => row.length === 5);
const twenty = rows.filter((row) => row.length === 3);
const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1));

test("The table of known vulnerabilities has each of the 56 once, and that of the tests that matter most each of the 20", () => {
  expect(vulnerabilities.map(([number]) => number)).toEqual(numbers(56));
  expect(twenty.map(([number]) => number)).toEqual(numbers(20));
});

describe("Every known vulnerability", () => {
  test.each(vulnerabilities)(
    "%s, %s, is withstood by what its row says, and shown by tests that are there",
    (...row) => {
      const [, where, what, how, tests = ""] = row;
      for (const words of [where, what, how]) expect(words).toMatch(/\w/);
      expect(testsIn(tests)).not.toEqual([]);
      expect(missingIn(tests)).toEqual([]);
    },
  );
});

describe("Every one of the twenty", () => {
  test.each(twenty)("%s, %s, is shown by tests that are there", (_number, _what, tests) => {
    expect(testsIn(tests ?? "")).not.toEqual([]);
    expect(missingIn(tests ?? "")).toEqual([]);
  });
});
