import type { Selectable } from "kysely";
import type { Write } from "../../database/database.ts";
import type { SessionTable } from "../../database/schema.ts";
import { overByTime } from "../expiry.ts";
import type { SessionParts } from "../parts.ts";
import { looksLikeId } from "../token.ts";

export type Row = Selectable<SessionTable>;

/** The live session with this id. Cookies aren't needed: browsers leave them out if another site led here. */
export async function findLive(parts: SessionParts, id: string, now: number): Promise<Row | undefined> {
  if (!looksLikeId(id)) return undefined;
  const row = await parts.database.read
    .selectFrom("session")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  if (!row) return undefined;
  const lastUsedAt = parts.lastUsed.of(id, row.last_used_at);
  return overByTime(row.expires_at, lastUsedAt, parts.settings, now) === null ? row : undefined;
}

/** Locks and reads a session's row; undefined if the session has ended. */
export async function lockRow({ query, locksRows }: Write, id: string): Promise<Row | undefined> {
  return query
    .selectFrom("session")
    .selectAll()
    .where("id", "=", id)
    .$if(locksRows, (one) => one.forUpdate())
    .executeTakeFirst();
}
