import type { EndReason } from "../answers.ts";
import type { FoundSession } from "../database/database.ts";
import { checkDevice } from "./binding/check.ts";
import { overByTime, REASON_KEPT } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";
import { allSoon, type Soon, soon } from "./soon.ts";
import { hashToken } from "./token.ts";

/** Why a token opens nothing, for its holder alone. */
export type Unauthenticated = { reason: EndReason | "none"; by: string | null; at: number | null };

export type Authenticated = {
  session: FoundSession;
  token: string;
  /** Its browser shows its bound cookie for the first time: from now on it has to. */
  isFirstProof: boolean;
};

/** A token of a bound session, without the cookie that only its device has. */
export type Unproved = { unproved: FoundSession };

/** What a request shows of itself: session tokens, and bound cookies beside them, read only where a session is bound. */
export type Shown = { tokens: readonly string[]; boundTokens: () => readonly string[] };

/** What a request's tokens come to. */
type Answer = Authenticated | Unproved | Unauthenticated;

/**
 * Who holds one of these tokens, by one indexed look-up each, the rule of time, and the device where a session
 * is bound to one. Never changes anything. The answer is there at once where the embedded database remembers
 * the session: a check then costs no turn of the event loop.
 * A browser sends the cookie more than once where some are stale, or planted by a sibling sub-domain: all
 * are looked at, and their order means nothing. Of several that live, the session that began last is meant.
 * @throws DatabaseUnavailable where the database doesn't answer; that is not "signed out".
 */
export function authenticate(parts: SessionParts, shown: Shown, now: number): Soon<Answer> {
  const asked = shown.tokens.map((token) => parts.database.findSession(token));
  return soon(allSoon(asked), (found) => choose(parts, shown, found, now));
}

/** Of several tokens: the live session that began last, else one that lacks its proof, else why one is over. */
function choose(
  parts: SessionParts,
  { tokens, boundTokens }: Shown,
  found: readonly (FoundSession | undefined)[],
  now: number,
): Soon<Answer> {
  let live: Authenticated | null = null;
  let unproved: Unproved | null = null;
  let over: Unauthenticated | null = null;
  for (const [index, token] of tokens.entries()) {
    const session = found[index];
    if (!session) continue;
    const answer = judge(parts, session, { token, boundTokens }, now);
    if ("unproved" in answer) unproved ??= answer;
    else if ("reason" in answer) over ??= answer.reason === "none" ? null : answer;
    else if (live === null || answer.session.createdAt > live.session.createdAt) live = answer;
  }
  if (live) return live;
  if (unproved) return unproved;
  const unknown = tokens.filter((_, index) => !found[index]).map(hashToken);
  return whyEnded(parts, unknown, now).then((why) => why ?? over ?? NOTHING);
}

const NOTHING: Unauthenticated = { reason: "none", by: null, at: null };

function judge(
  parts: SessionParts,
  found: FoundSession,
  { token, boundTokens }: { token: string } & Pick<Shown, "boundTokens">,
  now: number,
): Authenticated | Unproved | Unauthenticated {
  const lastUsedAt = parts.lastUsed.of(found.id, found.lastUsedAt);
  const reason = overByTime(found.expiresAt, lastUsedAt, parts.settings, now);
  if (reason === null) {
    const proof = checkDevice(parts.settings, found, boundTokens, now);
    if (proof === "missing") return { unproved: found };
    return { session: found, token, isFirstProof: proof === "first_proof" };
  }
  // Where nothing has pruned it, a reason is told no longer than where something has.
  return { reason: now < found.expiresAt + REASON_KEPT ? reason : "none", by: null, at: null };
}

/** Why the session of one of these tokens ended, the last that did; null where none is known. */
async function whyEnded(
  parts: SessionParts,
  tokenHashes: Uint8Array[],
  now: number,
): Promise<Unauthenticated | null> {
  if (tokenHashes.length === 0) return null;
  const ended = await parts.database.read
    .selectFrom("ended_session")
    .select(["reason", "by", "at"])
    .where("token_hash", "in", tokenHashes)
    .where("until", ">", now)
    .orderBy("at", "desc")
    .limit(1)
    .executeTakeFirst();
  return ended ? { reason: ended.reason, by: ended.by, at: ended.by === null ? null : ended.at } : null;
}
