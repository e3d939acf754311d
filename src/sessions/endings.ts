import { setImmediate as nextTurn } from "node:timers/promises";
import type { EndReason } from "../answers.ts";
import type { Write } from "../database/database.ts";
import type { Actor } from "../history/actor.ts";
import { recordsOf } from "./ending-records.ts";
import { accountsOf, chosenSessions, type Scopes } from "./ending-scopes.ts";
import type { WhyOver } from "./expiry.ts";

type Row = { ends: keyof Scopes; reason: EndReason | null; pendingSignIns: boolean; links: boolean };

/**
 * The table "which event ends which sessions", in code: which sessions, the reason that their devices are
 * told, and whether the account's pending sign-ins and emailed links end too. Every session ends through this
 * file, in the caller's transaction: its row is deleted, the reason is kept for the holder of its token, the
 * owner can read it in the activity, and open pages are notified after the commit.
 */
export const EVENTS = {
  logged_out: { ends: "one", reason: "signed_out", pendingSignIns: false, links: false },
  logged_out_remotely: { ends: "one", reason: "signed_out_remotely", pendingSignIns: false, links: false },
  others_logged_out: { ends: "others", reason: "signed_out_remotely", pendingSignIns: true, links: false },
  all_logged_out: { ends: "all", reason: "signed_out_remotely", pendingSignIns: true, links: false },
  everyone_logged_out: {
    ends: "all_of_accounts",
    reason: "signed_out_remotely",
    pendingSignIns: true,
    links: true,
  },
  password_changed: { ends: "others", reason: "password_changed", pendingSignIns: true, links: true },
  password_reset: { ends: "all", reason: "password_reset", pendingSignIns: true, links: true },
  email_changed: { ends: "others", reason: "email_changed", pendingSignIns: true, links: true },
  email_change_reversed: { ends: "all", reason: "email_changed", pendingSignIns: true, links: true },
  signed_in_again: { ends: "replaced", reason: "replaced", pendingSignIns: false, links: false },
  signed_in_over_cookie: { ends: "own_tokens", reason: "replaced", pendingSignIns: false, links: false },
  signed_in_without_proof: { ends: "own_tokens", reason: "proof_lost", pendingSignIns: false, links: false },
  other_account_signed_in: { ends: "tokens", reason: "signed_out", pendingSignIns: false, links: false },
  too_many_sessions: { ends: "surplus", reason: "replaced", pendingSignIns: false, links: false },
  two_factor_turned_on: { ends: "none", reason: null, pendingSignIns: true, links: false },
  two_factor_reset: { ends: "none", reason: null, pendingSignIns: true, links: false },
  method_removed: { ends: "of_method", reason: "method_removed", pendingSignIns: true, links: false },
  expired: { ends: "tokens", reason: "expired", pendingSignIns: false, links: false },
  idle: { ends: "tokens", reason: "idle", pendingSignIns: false, links: false },
  account_closed: { ends: "all", reason: "account_closed", pendingSignIns: true, links: true },
  session_reported: { ends: "reported", reason: "reported", pendingSignIns: true, links: false },
  account_disowned: { ends: "all", reason: "reported", pendingSignIns: true, links: true },
} as const satisfies Record<string, Row>;

export type EndingEvent = keyof typeof EVENTS;

/** What selects the sessions that an event ends. */
export type EndedBy<E extends EndingEvent> = Scopes[(typeof EVENTS)[E]["ends"]];

/** Who ended the sessions, and when. `by` is null if they expired or the person logged out there. */
export type Doer = { by: Actor | null; at: number };

/** How many sessions end before other requests get a turn: about 10 ms on the embedded database. */
const SESSIONS_A_CHUNK = 400;

/**
 * The only way in which sessions end, as the event's row says. A session that is over by time (`whyOver`)
 * but not pruned yet is recorded as that, whatever the event. Returns how many live ones ended. Many are ended
 * in chunks, between which the process answers other requests; it is still one transaction.
 */
export async function endBecauseOf<E extends EndingEvent>(
  write: Write,
  event: E,
  of: EndedBy<E>,
  { by, at }: Doer,
  whyOver: WhyOver,
): Promise<number> {
  const { reason, pendingSignIns, links }: Row = EVENTS[event];
  const accountIds = accountsOf(of);
  if (pendingSignIns)
    await write.query.deleteFrom("pending_sign_in").where("account_id", "in", accountIds).execute();
  if (links) await endableLinks(write).where("account_id", "in", accountIds).execute();
  if (reason === null) return 0;
  const records = recordsOf(write);
  let ended = 0;
  for (;;) {
    const gone = await takeChunk(write, EVENTS[event].ends, of, at);
    for (const [over, some] of Map.groupBy(gone, whyOver)) {
      await records.keep(some, over === null ? { reason, by, at } : { reason: over, by: null, at });
      if (over === null) ended += some.length;
    }
    for (const { accountId } of gone) write.announce(accountId);
    if (gone.length < SESSIONS_A_CHUNK) break;
    await nextTurn();
  }
  await records.close();
  return ended;
}

/** Locks the rows before it deletes them, so that a chunk that isn't full means that none are left. */
async function takeChunk<S extends keyof Scopes>(write: Write, scope: S, of: Scopes[S], at: number) {
  const chunk = chosenSessions(write, scope, of, at)
    .limit(SESSIONS_A_CHUNK)
    .$if(write.locksRows, (query) => query.forUpdate());
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

/** Ends the links of sign-ups, which belong to no account yet. */
export async function endLinksOfNobody(write: Write): Promise<void> {
  await endableLinks(write).where("account_id", "is", null).execute();
}

/** All links except not-me and reversal links, with which an owner gets a stolen account back. */
function endableLinks({ query }: Write) {
  return query.deleteFrom("emailed_link").where("kind", "not in", ["not_me", "email_reversal"]);
}
