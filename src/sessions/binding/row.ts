import type { Selectable } from "kysely";
import type { Write } from "../../database/database.ts";
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
  if (!row) return undefined;
  const lastUsedAt = parts.lastUsed.of(id, row.last_used_at);
  return overByTime(row.expires_at, lastUsedAt, parts.settings, now) === null ? row : undefined;
}

/** A session as it is now, locked; undefined where it has ended. */
export async function lockRow({ query, locksRows }: Write, id: string): Promise<Row | undefined> {
  return query
    .selectFrom("session")
    .selectAll()
    .where("id", "=", id)
    .$if(locksRows, (one) => one.forUpdate())
    .executeTakeFirst();
}
