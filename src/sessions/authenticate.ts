import type { SignedOut } from "../answers.ts";
import type { FoundSession, LookedUp } from "../database/database.ts";
import { checkDevice } from "./binding/check.ts";
import { whyEnded } from "./ending-records.ts";
import { overByTime, REASON_KEPT } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";
import { hashToken } from "./token.ts";

export type Authenticated = {
  session: FoundSession;
  token: string;
  /** The browser has sent its bound cookie for the first time. From now on, every request must carry it. */
  isFirstProof: boolean;
};

/** The token of a bound session came without the bound cookie that only the session's device has. */
export type Unproved = { unproved: FoundSession };

/** A request's session tokens and its bound cookies. The cookies are parsed only if a session is bound. */
export type Presented = { tokens: readonly string[]; boundTokens: () => readonly string[] };

type Answer = Authenticated | Unproved | SignedOut;

/**
 * Finds the session that a request's tokens belong to: one indexed look-up per token, then the expiry check,
 * then the device check if the session is bound. Read-only. A browser may send several tokens, some of them
 * stale or planted by a sibling sub-domain. Their order means nothing: of several live sessions, the newest
 * counts.
 * @throws DatabaseUnavailable if the database doesn't answer; that is not "signed out".
 */
export async function authenticate(parts: SessionParts, presented: Presented, now: number): Promise<Answer> {
  const found = await parts.database.lookUp(presented.tokens);
  const answer = choose(parts, presented, found, now);
  if (answer !== null && !("reason" in answer)) return answer;
  const unknown = presented.tokens.filter((_, index) => !found[index]).map(hashToken);
  return (await lastEnded(parts, unknown, now)) ?? answer ?? NOTHING;
}

const NOTHING: SignedOut = { reason: "none" };

/** Of several sessions: the newest live one; else one without its device proof; else why one expired. */
function choose(
  parts: SessionParts,
  { tokens, boundTokens }: Presented,
  found: LookedUp,
  now: number,
): Answer | null {
  let live: Authenticated | null = null;
  let unproved: Unproved | null = null;
  let over: SignedOut | null = null;
  for (const [index, token] of tokens.entries()) {
    const session = found[index];
    if (!session) continue;
    const answer = check(parts, session, { token, boundTokens }, now);
    if ("unproved" in answer) unproved ??= answer;
    else if ("reason" in answer) over ??= answer.reason === "none" ? null : answer;
    else if (live === null || answer.session.createdAt > live.session.createdAt) live = answer;
  }
  return live ?? unproved ?? over;
}

function check(
  parts: SessionParts,
  session: FoundSession,
  { token, boundTokens }: { token: string } & Pick<Presented, "boundTokens">,
  now: number,
): Answer {
  const lastUsedAt = parts.lastUsed.of(session.id, session.lastUsedAt);
  const reason = overByTime(session.expiresAt, lastUsedAt, parts.settings, now);
  // The row may not be pruned yet, but the reason is given only as long as it would be after pruning.
  if (reason !== null) return now < session.expiresAt + REASON_KEPT ? { reason } : NOTHING;
  const proof = checkDevice(parts.settings, session, boundTokens, now);
  return proof === "missing"
    ? { unproved: session }
    : { session, token, isFirstProof: proof === "first_proof" };
}

/** Why the session of one of these tokens ended; if several did, the latest. Null if none is known. */
async function lastEnded(
  parts: SessionParts,
  tokenHashes: Uint8Array[],
  now: number,
): Promise<SignedOut | null> {
  if (tokenHashes.length === 0) return null;
  const ended = await parts.database.read
    .selectFrom("ended_session")
    .select(["reason", "by", "at"])
    .where("token_hash", "in", tokenHashes)
    .where("until", ">", now)
    .orderBy("at", "desc")
    .limit(1)
    .executeTakeFirst();
  return ended ? whyEnded(ended) : null;
}
