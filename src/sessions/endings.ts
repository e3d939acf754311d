import { setImmediate as nextTurn } from "node:timers/promises";
import type { Write } from "../database/database.ts";
import { type ActivityEntry, record } from "../history/activity.ts";
import type { EndReason } from "../refusals.ts";
import { REASON_KEPT } from "./expiry.ts";

/**
 * The table "which event ends which sessions", in code. Every ending of a session goes through this
 * file: the row goes, the reason is kept for the holder of its token, the owner can read it in the
 * activity, and open pages hear of it after the commit. All in the caller's one transaction.
 */
const EVENTS = {
  others_logged_out: { reason: "signed_out_remotely", pendingSignIn: true, links: false },
  ended_by_operator: { reason: "signed_out_remotely", pendingSignIn: true, links: false },
  password_changed: { reason: "password_changed", pendingSignIn: true, links: true },
  password_reset: { reason: "password_reset", pendingSignIn: true, links: true },
  email_changed: { reason: "email_changed", pendingSignIn: true, links: true },
  email_change_reversed: { reason: "email_changed", pendingSignIn: true, links: true },
  reported_as_a_strangers: { reason: "reported", pendingSignIn: true, links: true },
  account_closed: { reason: "account_closed", pendingSignIn: true, links: true },
} as const satisfies Record<string, { reason: EndReason; pendingSignIn: boolean; links: boolean }>;

export type Ending = {
  reason: EndReason;
  /** The label of the device that did it; null where none did. */
  by: string | null;
  at: number;
};

/** SessionSelector sessions end: every field given narrows the choice. */
export type SessionSelector = {
  accountId?: string;
  accountIds?: string[];
  id?: string;
  exceptId?: string | readonly string[] | undefined;
  tokenHashes?: Uint8Array[];
  replacementKey?: string;
  methodId?: string;
  deviceHash?: Uint8Array;
  /** Of the live ones, all but so many that were used last. */
  allBut?: { most: number; at: number };
};

/** What one time may be judged of, of a session that has ended. */
export type Lives = (session: { id: string; expiresAt: number; lastUsedAt: number }) => boolean;

/** So many end before others have their turn: some 10 ms on the embedded database. */
const SESSIONS_A_CHUNK = 400;
/** So many of an account are read of one by one in its activity; the rest of one event is folded by device. */
const LINES_AN_ACCOUNT = 100;

/**
 * Ends what an event ends: sessions (but `exceptId`), pending sign-ins, emailed links. Returns how many
 * sessions; with `lives`, how many of those that it says were alive.
 */
export async function endBecauseOf(
  write: Write,
  event: keyof typeof EVENTS,
  of: { accountId: string; exceptId?: string | readonly string[]; by: string | null; at: number },
  lives?: Lives,
): Promise<number> {
  const { reason, pendingSignIn, links } = EVENTS[event];
  if (pendingSignIn) await endPendingSignIns(write, of.accountId);
  if (links) await endEmailedLinks(write, of.accountId);
  return endSessions(
    write,
    { accountId: of.accountId, exceptId: of.exceptId },
    { reason, by: of.by, at: of.at },
    lives,
  );
}

/**
 * The one door by which sessions end. Returns how many did; with `lives`, how many of those that it says were
 * alive. Many end in chunks, between which the process answers others: still one transaction.
 */
export async function endSessions(
  write: Write,
  which: SessionSelector,
  ending: Ending,
  lives: Lives = () => true,
): Promise<number> {
  const lines = activityOf(ending);
  let ended = 0;
  for (;;) {
    const gone = await takeChunk(write, which);
    await keepReasons(write, gone, ending);
    await record(write, ...lines.next(gone));
    for (const { accountId } of gone) write.announce(accountId);
    ended += gone.filter(lives).length;
    if (gone.length < SESSIONS_A_CHUNK) break;
    await nextTurn();
  }
  await record(write, ...lines.folded());
  return ended;
}

type Gone = Awaited<ReturnType<typeof takeChunk>>[number];

/** Locks what it takes before it counts, so that fewer than a chunk means that none are left. */
async function takeChunk(write: Write, which: SessionSelector) {
  let leaving = write.query.selectFrom("session").select("id");
  if (which.accountId !== undefined) leaving = leaving.where("account_id", "=", which.accountId);
  if (which.accountIds !== undefined) leaving = leaving.where("account_id", "in", which.accountIds);
  if (which.id !== undefined) leaving = leaving.where("id", "=", which.id);
  if (which.exceptId !== undefined) leaving = leaving.where("id", "not in", [which.exceptId].flat());
  if (which.tokenHashes !== undefined) leaving = leaving.where("token_hash", "in", which.tokenHashes);
  if (which.replacementKey !== undefined)
    leaving = leaving.where("replacement_key", "=", which.replacementKey);
  if (which.methodId !== undefined) leaving = leaving.where("method_id", "=", which.methodId);
  if (which.deviceHash !== undefined) leaving = leaving.where("device_hash", "=", which.deviceHash);
  if (which.allBut !== undefined) {
    const { most, at } = which.allBut;
    let live = write.query.selectFrom("session").select("token_hash").where("expires_at", ">", at);
    if (which.accountId !== undefined) live = live.where("account_id", "=", which.accountId);
    if (which.exceptId !== undefined) live = live.where("id", "not in", [which.exceptId].flat());
    const kept = live.orderBy("last_used_at", "desc").orderBy("created_at", "desc").limit(most);
    leaving = leaving.where("expires_at", ">", at).where("token_hash", "not in", kept);
  }
  const chunk = leaving.limit(SESSIONS_A_CHUNK).$if(write.locksRows, (query) => query.forUpdate());
  return write.query
    .deleteFrom("session")
    .where("id", "in", chunk)
    .returning([
      "token_hash as tokenHash",
      "id",
      "account_id as accountId",
      "label",
      "expires_at as expiresAt",
      "last_used_at as lastUsedAt",
    ])
    .execute();
}

/** For whoever holds the token of one of them. */
async function keepReasons(write: Write, gone: Gone[], { reason, by, at }: Ending): Promise<void> {
  if (gone.length === 0) return;
  const rows = gone.map((session) => ({
    token_hash: session.tokenHash,
    session_id: session.id,
    account_id: session.accountId,
    reason,
    by,
    at,
    until: session.expiresAt + REASON_KEPT,
  }));
  await write.query.insertInto("ended_session").values(rows).execute();
}

/** What the owners can read of one ending: a line a session, and past so many one a device, with their number. */
function activityOf({ reason, by, at }: Ending) {
  const told = new Map<string, number>();
  const rest = new Map<string, { session: Gone; count: number }>();
  const lineOf = ({ accountId, label }: Gone, more: { count?: number } = {}): ActivityEntry => {
    const detail = { reason, ...(by === null ? {} : { by }), ...more };
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

/** A sign-in whose password was right and whose second factor is still to come ends with nothing. */
export async function endPendingSignIns(write: Write, accountId: string): Promise<void> {
  await write.query.deleteFrom("pending_sign_in").where("account_id", "=", accountId).execute();
}

/** Ends an account's emailed links, but never the owner's rescue: not-me and reversal links. */
async function endEmailedLinks(write: Write, accountId: string): Promise<void> {
  await write.query
    .deleteFrom("emailed_link")
    .where("account_id", "=", accountId)
    .where("kind", "not in", ["not_me", "email_reversal"])
    .execute();
}
