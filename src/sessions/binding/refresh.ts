import type { Write } from "../../database/database.ts";
import type { SessionParts } from "../parts.ts";
import { hashToken, makeSecret } from "../token.ts";
import { isBindable } from "./bindable.ts";
import { freshChallenge, isOpen, nextChallenges } from "./challenges.ts";
import { isSame } from "./check.ts";
import { readProof, storedKey } from "./proof.ts";
import type { Bound } from "./register.ts";
import { findLive, lockRow, type Row } from "./row.ts";

/** The proof was accepted; or the browser must sign this challenge; or the session is over or not bound. */
export type Refreshed =
  | ({ is: "refreshed" } & Bound)
  | { is: "stale"; sessionId: string; challenge: string }
  | { is: "over" };

type Asked = {
  sessionId: string;
  proof: string | null;
  /** The bound cookies that came along, if any did. */
  boundTokens: readonly string[];
};

const OVER = { is: "over" } as const;

/**
 * Gives a browser its next bound cookie if it proves that it has the registered key. The id names the
 * session, and the signature alone proves who asks: browsers leave out the session cookie when another site
 * sent the person here. This doesn't count as a use of the session. An ending wins: the row is read again
 * under a lock.
 */
export async function refreshBinding(parts: SessionParts, asked: Asked, now: number): Promise<Refreshed> {
  const { settings, database } = parts;
  const found = await findLive(parts, asked.sessionId, now);
  if (!found || found.binding_key === null) return OVER;
  const signed = asked.proof === null ? null : await readProof(asked.proof, storedKey(found.binding_key));
  const fresh = freshChallenge(found, settings, now);
  if (signed === null && fresh !== null) return { is: "stale", sessionId: found.id, challenge: fresh };
  return database.write(async (write) => {
    const row = await lockRow(write, found.id);
    // If the key has changed meanwhile, the proof was checked against the wrong one.
    if (row === undefined || row.binding_key !== found.binding_key) return OVER;
    return signed !== null && isOpen(row, signed, now)
      ? accept(parts, write, row, { ...asked, signed }, now)
      : giveChallenge(parts, write, row, now);
  });
}

async function accept(
  { settings }: SessionParts,
  { query }: Write,
  row: Row,
  { signed, boundTokens }: Asked & { signed: string },
  now: number,
): Promise<Refreshed> {
  const update = query.updateTable("session").where("id", "=", row.id);
  if (!isBindable(settings)) {
    await update.set(UNBOUND).execute();
    return OVER;
  }
  const boundToken = makeSecret();
  const challenges = nextChallenges(row, signed, settings, now);
  const former = cookieInUse(row, boundTokens.map(hashToken));
  await update
    .set({
      bound_at: row.bound_at ?? now,
      bound_hash: hashToken(boundToken),
      bound_until: now + settings.bindingRefresh,
      former_bound_hash: former.hash,
      former_bound_until: former.until,
      ...challenges,
    })
    .execute();
  return { is: "refreshed", sessionId: row.id, boundToken, challenge: challenges.challenge };
}

/**
 * Which of the last two bound cookies the browser has. If it sends the older one, the answer with the newer
 * one was lost. The older one must stay valid then, or the browser's requests would fail until it has the
 * next.
 */
function cookieInUse(
  row: Row,
  shown: readonly Uint8Array[],
): { hash: Uint8Array | null; until: number | null } {
  const showsOlder = shown.some((hash) => isSame(row.former_bound_hash, hash));
  const showsNewer = shown.some((hash) => isSame(row.bound_hash, hash));
  return showsOlder && !showsNewer
    ? { hash: row.former_bound_hash, until: row.former_bound_until }
    : { hash: row.bound_hash, until: row.bound_until };
}

async function giveChallenge(
  { settings }: SessionParts,
  { query }: Write,
  row: Row,
  now: number,
): Promise<Refreshed> {
  const challenges = nextChallenges(row, null, settings, now);
  if (challenges.challenge !== row.challenge)
    await query.updateTable("session").set(challenges).where("id", "=", row.id).execute();
  return { is: "stale", sessionId: row.id, challenge: challenges.challenge };
}

/** If binding has been turned off, a session loses its key for good at the next refresh. */
const UNBOUND = {
  binding_key: null,
  bound_at: null,
  bound_hash: null,
  bound_until: null,
  former_bound_hash: null,
  former_bound_until: null,
  challenge: null,
  challenge_until: null,
  former_challenge: null,
  former_challenge_until: null,
};
