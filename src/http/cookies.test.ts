import { expect, test } from "vitest";
import { readSettings } from "../options/options.ts";
import { createCookies } from "./cookies.ts";

const LARGEST_HEADER = 16 * 1024;
const OLD = "0123456789abcdefghij";

const cookies = createCookies(readSettings({ importedCookie: "sid" }), (text) => Buffer.from(text));

/** As many different cookies of another system as fit into a Cookie header. */
function manyOld(textOf: (index: number) => string): string {
  const all = Array.from({ length: 4_000 }, (_, index) => `sid=${textOf(index)}`).join(";");
  return all.slice(0, all.lastIndexOf(";", LARGEST_HEADER));
}

test("what is too short or too long for another system's token is not looked up", () => {
  const short = OLD.slice(1);
  const values = [short, `${short}.s`, "x".repeat(513)];
  // With dot and signature it is long enough (21 characters), without them too short.
  expect(cookies.tokens(values.map((value) => `sid=${value}`).join("; "))).toHaveLength(1);
  expect(cookies.tokens(manyOld((index) => `${index}.s`))).toEqual([]);
});

test("of another system's cookies no more are looked up than browsers send", () => {
  expect(cookies.tokens(manyOld((index) => `${index}${OLD}.s`)).length).toBeLessThanOrEqual(400);
  const kept = Array.from({ length: 180 }, (_, index) => `sid=${index}${OLD}.signature`);
  expect(cookies.tokens(kept.join("; "))).toHaveLength(360);
});
