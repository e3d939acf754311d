import { expect, test } from "vitest";
import { heapGrowth, longCookieHeader } from "../../../tests/support/runs/heap-growth.ts";
import type { FoundBinding } from "../../database/database.ts";
import { hashToken } from "../token.ts";
import type { BindingSettings } from "./bindable.ts";
import { checkDevice } from "./check.ts";

const NOW = 1_800_000_000_000;
const settings = {
  baseUrl: { secure: true },
  cookieDomain: null,
  deviceBinding: "auto",
  bindingRefresh: 600_000,
} as BindingSettings;

test("A bound session that is remembered keeps nothing else of the Cookie header that its bound cookie came in", () => {
  const tokens = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(43, "0"));
  const sessions = tokens.map(
    (token) =>
      ({ boundAt: NOW, boundHash: hashToken(token), boundUntil: NOW + 1 }) as unknown as FoundBinding,
  );
  const shown: string[] = [];
  const kept = heapGrowth(() => {
    for (const [number, token] of tokens.entries()) {
      const presented = () => [longCookieHeader(token).slice(-token.length)];
      shown.push(checkDevice(settings, sessions[number] as FoundBinding, presented, NOW));
    }
  });
  expect(new Set(shown)).toEqual(new Set(["proved"]));
  expect(kept / tokens.length).toBeLessThan(2_000);
});
