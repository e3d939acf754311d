import { expect } from "vitest";
import type { TestServer } from "./server.ts";

/** The one count of a kind becomes what it is after so many requests. */
export async function countUpTo(count: number, server: TestServer, kind: string): Promise<void> {
  await server.latchkey.parts.database.write(async ({ query }) => {
    const rows = await query
      .updateTable("attempts")
      .set({ count })
      .where("key", "like", `${kind}%`)
      .returning("key")
      .execute();
    expect(rows, "requests of one peer have one count").toHaveLength(1);
  });
}
