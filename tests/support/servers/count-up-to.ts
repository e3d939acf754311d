import { expect } from "vitest";
import type { TestServer } from "./server.ts";

/** Sets the only count of a kind to what it is after this many requests. */
export async function countUpTo(count: number, server: TestServer, kind: string): Promise<void> {
  expect(await countAllUpTo(count, server, kind), "requests of one peer have one count").toBe(1);
}

/** Sets every count of a kind to what it is after this many requests. Returns how many there are. */
export async function countAllUpTo(count: number, { latchkey }: TestServer, kind: string): Promise<number> {
  const rows = await latchkey.parts.database.write(({ query }) =>
    query.updateTable("attempts").set({ count }).where("key", "like", `${kind}:%`).returning("key").execute(),
  );
  return rows.length;
}
