import type { Selectable } from "kysely";
import type { EndReason, SignedOut } from "../answers.ts";
import type { Write } from "../database/database.ts";
import type { EndedSessionTable } from "../database/schema.ts";
import { type ActivityEntry, record } from "../history/activity.ts";
import type { Actor } from "../history/actor.ts";
import { REASON_KEPT } from "./expiry.ts";

/** What is recorded about sessions that have ended. */

type Gone = { tokenHash: Uint8Array; id: string; accountId: string; label: string; expiresAt: number };
type Ending = { reason: EndReason; by: Actor | null; at: number };

/** How many endings of one event an account's activity lists one by one; the rest is grouped by device. */
const ENTRIES_AN_ACCOUNT = 100;

/**
 * Records the sessions that one event ends, chunk by chunk, each for one of several reasons; `close` adds what
 * the activity groups.
 */
export function recordsOf(write: Write) {
  const told: Told = new Map();
  const activities = new Map<EndReason, ReturnType<typeof activityOf>>();
  return {
    async keep(gone: Gone[], ending: Ending): Promise<void> {
      const activity = activities.get(ending.reason) ?? activityOf(ending, told);
      activities.set(ending.reason, activity);
      await keepReasons(write, gone, ending);
      await record(write, ...activity.next(gone));
    },
    async close(): Promise<void> {
      for (const activity of activities.values()) await record(write, ...activity.folded());
    },
  };
}

/** How many endings of one event were listed one by one, by account. */
type Told = Map<string, number>;

/** Stores why these sessions ended, so that the holders of their tokens can be told. */
async function keepReasons(write: Write, gone: Gone[], { reason, by, at }: Ending): Promise<void> {
  const rows = gone.map((session) => ({
    token_hash: session.tokenHash,
    session_id: session.id,
    account_id: session.accountId,
    reason,
    by: by?.name ?? null,
    at,
    until: session.expiresAt + REASON_KEPT,
  }));
  await write.query.insertInto("ended_session").values(rows).execute();
}

/** Why a session ended, as told to the holder of its token. The time is given only if a device ended it. */
export function whyEnded({
  reason,
  by,
  at,
}: Pick<Selectable<EndedSessionTable>, "reason" | "by" | "at">): SignedOut {
  return by === null ? { reason } : { reason, by, at: new Date(at).toISOString() };
}

/** The activity entries for one reason: one per session; beyond the limit, one per device with a count. */
function activityOf({ reason, by, at }: Ending, told: Told) {
  const rest = new Map<string, { session: Gone; count: number }>();
  const entryOf = ({ accountId, label }: Gone, more: { count?: number } = {}): ActivityEntry => {
    const detail = { reason, ...(by === null ? {} : { by: by.name }), ...more };
    return { accountId, kind: "session_ended", at, label, detail };
  };
  const isFolded = (session: Gone): boolean => {
    const before = told.get(session.accountId) ?? 0;
    told.set(session.accountId, before + 1);
    if (before < ENTRIES_AN_ACCOUNT) return false;
    const key = `${session.accountId} ${session.label}`;
    rest.set(key, { session, count: (rest.get(key)?.count ?? 0) + 1 });
    return true;
  };
  return {
    next: (gone: Gone[]) => gone.filter((session) => !isFolded(session)).map((session) => entryOf(session)),
    folded: () => [...rest.values()].map(({ session, count }) => entryOf(session, { count })),
  };
}
