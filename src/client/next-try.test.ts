import { expect, test } from "vitest";
import { nextTry } from "./next-try.ts";
import { Refused, Unreachable } from "./refused.ts";

test("Each try waits twice as long as the one before, up to 15 seconds", () => {
  const waits = [1, 2, 3, 4, 5, 6, 50].map((failures) => nextTry(failures, new Unreachable(null)));
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
});

test("No try comes sooner than the server asks for", () => {
  const refusal = (retryAfter: number) => new Refused(429, "too_many_attempts", { retryAfter });
  expect(nextTry(1, refusal(50))).toBe(50_000);
  expect(nextTry(5, refusal(2))).toBe(15_000);
});

test("A server that can't answer is tried after a minute at the latest, however long it asks for", () => {
  const down = (retryAfter: number) => new Unreachable(503, undefined, retryAfter);
  expect(nextTry(1, down(2))).toBe(2_000);
  expect(nextTry(1, down(3_600))).toBe(60_000);
});
