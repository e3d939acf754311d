import type { Write } from "../database/database.ts";
import { record } from "../history/activity.ts";
import type { EndReason } from "../refusals.ts";
import { REASON_KEPT } from "./expiry.ts";

/**
 * The table "which event ends which sessions", in code. Every ending of a session goes through this
 * file: the row goes, the reason is kept for the holder of its token, the owner can read it in the
 * activity, and open pages hear of it after the commit. All in the caller's one transaction.
 */
const EVENTS = {
  others_logged_out: { reason: "signed_out_remotely", halfFinished: true, links: false },
  ended_by_operator: { reason: "signed_out_remotely", halfFinished: true, links: false },
  password_changed: { reason: "password_changed", halfFinished: true, links: true },
  password_reset: { reason: "password_reset", halfFinished: true, links: true },
  email_changed: { reason: "email_changed", halfFinished: true, links: true },
  email_taken_back: { reason: "email_changed", halfFinished: true, links: true },
  reported_as_a_strangers: { reason: "reported", halfFinished: true, links: true },
  account_closed: { reason: "account_closed", halfFinished: true, links: true },
} as const satisfies Record<string, { reason: EndReason; halfFinished: boolean; links: boolean }>;

export type Ending = {
  reason: EndReason;
  /** The label of the device that did it; null where none did. */
  by: string | null;
  at: number;
};

/** Which sessions end: every field given narrows the choice. */
export type Which = {
  accountId?: string;
  accountIds?: string[];
  id?: string;
  exceptId?: string | readonly string[] | undefined;
  tokenHashes?: Uint8Array[];
  place?: string;
  methodId?: string;
  deviceHash?: Uint8Array;
  /** Of the live ones, all but so many that were used last. */
  allBut?: { most: number; at: number };
};

const ROWS_A_STATEMENT = 400;

/** Ends what an event ends: sessions (but `exceptId`), half-finished sign-ins, mailed links. Returns how many sessions. */
export async function endBecauseOf(
  write: Write,
  event: keyof typeof EVENTS,
  of: { accountId: string; exceptId?: string | readonly string[]; by: string | null; at: number },
): Promise<number> {
  const { reason, halfFinished, links } = EVENTS[event];
  if (halfFinished) await endHalfFinishedSignIns(write, of.accountId);
  if (links) await endMailedLinks(write, of.accountId);
  return endSessions(
    write,
    { accountId: of.accountId, exceptId: of.exceptId },
    { reason, by: of.by, at: of.at },
  );
}

/** The one door by which sessions end. Returns how many did. */
export async function endSessions(write: Write, which: Which, ending: Ending): Promise<number> {
  let leaving = write.query.deleteFrom("session");
  if (which.accountId !== undefined) leaving = leaving.where("account_id", "=", which.accountId);
  if (which.accountIds !== undefined) leaving = leaving.where("account_id", "in", which.accountIds);
  if (which.id !== undefined) leaving = leaving.where("id", "=", which.id);
  if (which.exceptId !== undefined) leaving = leaving.where("id", "not in", [which.exceptId].flat());
  if (which.tokenHashes !== undefined) leaving = leaving.where("token_hash", "in", which.tokenHashes);
  if (which.place !== undefined) leaving = leaving.where("place", "=", which.place);
  if (which.methodId !== undefined) leaving = leaving.where("method_id", "=", which.methodId);
  if (which.deviceHash !== undefined) leaving = leaving.where("device_hash", "=", which.deviceHash);
  if (which.allBut !== undefined) {
    const { most, at } = which.allBut;
    let live = write.query.selectFrom("session").select("token_hash").where("expires_at", ">", at);
    if (which.accountId !== undefined) live = live.where("account_id", "=", which.accountId);
    if (which.exceptId !== undefined) live = live.where("id", "!=", which.exceptId);
    const kept = live.orderBy("last_used_at", "desc").orderBy("created_at", "desc").limit(most);
    leaving = leaving.where("expires_at", ">", at).where("token_hash", "not in", kept);
  }
  const gone = await leaving.returning(["token_hash", "id", "account_id", "label", "expires_at"]).execute();

  const { reason, by, at } = ending;
  for (let start = 0; start < gone.length; start += ROWS_A_STATEMENT) {
    const rows = gone.slice(start, start + ROWS_A_STATEMENT).map((session) => ({
      token_hash: session.token_hash,
      session_id: session.id,
      account_id: session.account_id,
      reason,
      by,
      at,
      until: session.expires_at + REASON_KEPT,
    }));
    await write.query.insertInto("ended_session").values(rows).execute();
  }
  const detail = by === null ? { reason } : { reason, by };
  await record(
    write,
    ...gone.map(({ account_id, label }) => ({
      accountId: account_id,
      kind: "session_ended" as const,
      at,
      label,
      detail,
    })),
  );
  for (const { account_id } of gone) write.announce(account_id);
  return gone.length;
}

/** A sign-in whose password was right and whose second factor is still to come ends with nothing. */
export async function endHalfFinishedSignIns(write: Write, accountId: string): Promise<void> {
  await write.query.deleteFrom("half_finished_sign_in").where("account_id", "=", accountId).execute();
}

/** Ends an account's mailed links, but never the owner's rescue: not-me and reversal links. */
async function endMailedLinks(write: Write, accountId: string): Promise<void> {
  await write.query
    .deleteFrom("mailed_link")
    .where("account_id", "=", accountId)
    .where("kind", "not in", ["not_me", "keep_email"])
    .execute();
}
