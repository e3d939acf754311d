import { expect, test } from "vitest";
import { heapGrowth, longCookieHeader } from "../../tests/support/runs/heap-growth.ts";
import type { FoundSession } from "./database.ts";
import { createRememberedSessions } from "./remembered-sessions.ts";

const MOST = 50_000;
const session = (number: number, accountId = `account ${number}`) =>
  ({ id: `session ${number}`, accountId }) as FoundSession;
const token = (number: number) => `token ${number}`;

function filled(count: number) {
  const remembered = createRememberedSessions();
  for (let number = 0; number < count; number += 1) remembered.add(token(number), session(number));
  const kept = (from: number, to: number) => {
    let found = 0;
    for (let number = from; number < to; number += 1) if (remembered.get(token(number))) found += 1;
    return found;
  };
  return { remembered, kept };
}

test("Past the most that are remembered, those that were read first go, and no other", () => {
  const { remembered, kept } = filled(MOST);
  expect(kept(0, MOST)).toBe(MOST);
  remembered.forget("session 2");
  for (let number = MOST; number < MOST + 10; number += 1) remembered.add(token(number), session(number));
  // The forgotten session had made room for one of the ten.
  expect(kept(0, 10)).toBe(0);
  expect(kept(10, MOST + 10)).toBe(MOST);
});

test("What was forgotten whole fills again, and again the first go", () => {
  const { remembered, kept } = filled(MOST + 5);
  remembered.clear();
  expect(kept(0, MOST + 5)).toBe(0);
  for (let number = 0; number < MOST + 3; number += 1) remembered.add(token(number), session(number));
  expect(kept(0, 3)).toBe(0);
  expect(kept(3, MOST + 3)).toBe(MOST);
});

test("All sessions of an account are forgotten by its id, and one by its own, whatever token it has now", () => {
  const remembered = createRememberedSessions();
  for (const number of [1, 2, 3]) remembered.add(token(number), session(number, "account"));
  remembered.add("renewed", session(1, "account"));
  expect(remembered.get(token(1))).toBeUndefined();
  expect(remembered.get("renewed")?.id).toBe("session 1");
  remembered.forget("session 1");
  expect(remembered.get("renewed")).toBeUndefined();
  expect(remembered.get(token(2))?.id).toBe("session 2");
  remembered.forget("account");
  for (const number of [2, 3]) expect(remembered.get(token(number))).toBeUndefined();
});

test("A session that is remembered keeps nothing else of the Cookie header that its token came in", () => {
  const remembered = createRememberedSessions();
  const tokens = Array.from({ length: 1_000 }, (_, number) => `lk1_${String(number).padStart(43, "0")}`);
  const kept = heapGrowth(() => {
    for (const [number, own] of tokens.entries())
      remembered.add(longCookieHeader(own).slice(-own.length), session(number));
  });
  expect(tokens.every((own) => remembered.get(own))).toBe(true);
  expect(kept / tokens.length).toBeLessThan(2_000);
});
