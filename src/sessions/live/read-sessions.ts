import type { SignedOut } from "../../answers.ts";
import { whyEnded } from "../ending-records.ts";
import type { SessionParts } from "../parts.ts";

/** The sessions among these that still have a row, with their last use and since when they are bound. */
export async function readLiving(parts: SessionParts, sessionIds: string[]) {
  const rows = await parts.database.read
    .selectFrom("session")
    .select(["id", "last_used_at", "bound_at"])
    .where("id", "in", sessionIds)
    .execute();
  return new Map(rows.map((row) => [row.id, row] as const));
}

/** Why these sessions, which are gone, ended. One whose reason is already pruned counts as expired. */
export async function readEnded(parts: SessionParts, gone: string[]): Promise<Map<string, SignedOut>> {
  if (gone.length === 0) return new Map();
  const rows = await parts.database.read
    .selectFrom("ended_session")
    .select(["session_id", "reason", "by", "at"])
    .where("session_id", "in", gone)
    .execute();
  const why = new Map<string, SignedOut>(gone.map((id) => [id, { reason: "expired" }]));
  for (const row of rows) why.set(row.session_id, whyEnded(row));
  return why;
}
