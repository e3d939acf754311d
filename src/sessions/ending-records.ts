import type { Write } from "../database/database.ts";
import type { ActivityEntry } from "../history/activity.ts";
import { type Actor, nameOf } from "../history/actor.ts";
import type { EndReason } from "../refusals.ts";
import { REASON_KEPT } from "./expiry.ts";

/** What is kept of sessions that have ended. */

type Gone = { tokenHash: Uint8Array; id: string; accountId: string; label: string; expiresAt: number };
type Ending = { reason: EndReason; by: Actor | null; at: number };

/** So many of an account are read of one by one in its activity; the rest of one event is folded by device. */
const LINES_AN_ACCOUNT = 100;

/** For whoever holds the token of one of them. */
export async function keepReasons(write: Write, gone: Gone[], { reason, by, at }: Ending): Promise<void> {
  if (gone.length === 0) return;
  const rows = gone.map((session) => ({
    token_hash: session.tokenHash,
    session_id: session.id,
    account_id: session.accountId,
    reason,
    by: by && nameOf(by),
    at,
    until: session.expiresAt + REASON_KEPT,
  }));
  await write.query.insertInto("ended_session").values(rows).execute();
}

/** What the owners can read of one ending: a line a session, and past so many one a device, with their number. */
export function activityOf({ reason, by, at }: Ending) {
  const told = new Map<string, number>();
  const rest = new Map<string, { session: Gone; count: number }>();
  const lineOf = ({ accountId, label }: Gone, more: { count?: number } = {}): ActivityEntry => {
    const detail = { reason, ...(by === null ? {} : { by: nameOf(by) }), ...more };
    return { accountId, kind: "session_ended", at, label, detail };
  };
  const isFolded = (session: Gone): boolean => {
    const before = told.get(session.accountId) ?? 0;
    told.set(session.accountId, before + 1);
    if (before < LINES_AN_ACCOUNT) return false;
    const key = `${session.accountId} ${session.label}`;
    rest.set(key, { session, count: (rest.get(key)?.count ?? 0) + 1 });
    return true;
  };
  return {
    next: (gone: Gone[]) => gone.filter((session) => !isFolded(session)).map((session) => lineOf(session)),
    folded: () => [...rest.values()].map(({ session, count }) => lineOf(session, { count })),
  };
}
