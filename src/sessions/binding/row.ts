import type { Selectable } from "kysely";
import type { SessionTable } from "../../database/schema.ts";
import { overByTime } from "../expiry.ts";
import type { SessionParts } from "../parts.ts";
import { looksLikeId } from "../token.ts";

export type Row = Selectable<SessionTable>;

/** The live session of this id, whatever cookies a request brings: browsers leave them out where another site led here. */
export async function findLive(parts: SessionParts, id: string, now: number): Promise<Row | undefined> {
  if (!looksLikeId(id)) return undefined;
  const row = await parts.database.read
    .selectFrom("session")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  return row && !isOver(parts, row, now) ? row : undefined;
}

function isOver({ settings, lastUsed }: SessionParts, row: Row, now: number): boolean {
  return overByTime(row.expires_at, lastUsed.of(row.id, row.last_used_at), settings, now) !== null;
}
