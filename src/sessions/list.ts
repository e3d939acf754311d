import { type Database, LISTED } from "../database/database.ts";
import { IDLE_MARGIN, overAt } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";
import { MOST_SESSIONS } from "./start.ts";

export type ListedSession = Awaited<ReturnType<typeof listSessions>>[number];

/**
 * An account's most recently used live sessions, by the same expiry rule that requests are checked with. The
 * database sorts and limits by the stored last use; uses that this process hasn't written yet refine the
 * order.
 */
export async function listSessions(parts: SessionParts, accountId: string, now: number) {
  const { idleTimeout } = parts.settings;
  const rows = await readSessions(parts.database)
    .where("account_id", "=", accountId)
    .where("expires_at", ">", now)
    .$if(idleTimeout !== null, (query) =>
      query.where("last_used_at", ">", now - (idleTimeout ?? 0) - IDLE_MARGIN),
    )
    .orderBy("last_used_at", "desc")
    .orderBy("created_at", "desc")
    .limit(MOST_SESSIONS)
    .execute();
  const whyOver = overAt(parts, now);
  return rows
    .map((row) => Object.assign(row, { lastUsedAt: parts.lastUsed.of(row.id, row.lastUsedAt) }))
    .filter((row) => whyOver(row) === null)
    .sort((one, other) => other.lastUsedAt - one.lastUsedAt || other.createdAt - one.createdAt);
}

export function readSessions(database: Database) {
  return database.read.selectFrom("session").select([...LISTED, "bound_at as boundAt"]);
}
