import type { FoundSession } from "../database/database.ts";
import type { EndReason } from "../refusals.ts";
import { overByTime, REASON_KEPT } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";
import { hashToken } from "./token.ts";

/** Why a token opens nothing, for its holder alone. */
export type SignedOut = { reason: EndReason | "none"; by: string | null; at: number | null };

export type Authenticated = { session: FoundSession; token: string };

/**
 * Who holds this token, by one indexed look-up and the rule of time. Never changes anything.
 * Where a browser sends the cookie twice (one of them planted or stale), each is tried.
 * @throws DatabaseUnavailable where the database doesn't answer; that is not "signed out".
 */
export async function authenticate(
  parts: SessionParts,
  tokens: readonly string[],
  now: number,
): Promise<Authenticated | SignedOut> {
  let told: SignedOut = { reason: "none", by: null, at: null };
  for (const token of tokens) {
    const asked = parts.database.findSession(token);
    // What the embedded database remembers is there at once, and needs no turn of the event loop.
    const found = asked instanceof Promise ? await asked : asked;
    const answer = found
      ? liveOrOver(parts, found, token, now)
      : await whyEnded(parts, hashToken(token), now);
    if ("session" in answer) return answer;
    if (told.reason === "none") told = answer;
  }
  return told;
}

function liveOrOver(
  parts: SessionParts,
  found: FoundSession,
  token: string,
  now: number,
): Authenticated | SignedOut {
  const lastUsedAt = parts.lastUsed.of(found.id, found.lastUsedAt);
  const reason = overByTime(found.expiresAt, lastUsedAt, parts.settings, now);
  if (reason === null) return { session: found, token };
  // Where nothing has pruned it, a reason is told no longer than where something has.
  return { reason: now < found.expiresAt + REASON_KEPT ? reason : "none", by: null, at: null };
}

async function whyEnded(parts: SessionParts, tokenHash: Uint8Array, now: number): Promise<SignedOut> {
  const ended = await parts.database.read
    .selectFrom("ended_session")
    .select(["reason", "by", "at"])
    .where("token_hash", "=", tokenHash)
    .where("until", ">", now)
    .executeTakeFirst();
  if (!ended) return { reason: "none", by: null, at: null };
  return { reason: ended.reason, by: ended.by, at: ended.by === null ? null : ended.at };
}
