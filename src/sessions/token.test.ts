import { expect, it } from "vitest";
import { hashToken, looksLikeToken, makeId, makeToken } from "./token.ts";

it("ids can be given to a command line: none begins with a dash, and none is twice the same", () => {
  const ids = Array.from({ length: 5_000 }, makeId);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]{21}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

it("tokens are 32 random bytes behind their prefix, and hash to 32 bytes", () => {
  const token = makeToken();
  expect(token).toMatch(/^lk1_[\w-]{43}$/);
  expect(looksLikeToken(token)).toBe(true);
  expect(looksLikeToken(`${token}x`)).toBe(false);
  expect(hashToken(token)).toHaveLength(32);
});
