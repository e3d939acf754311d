import type { FoundSession } from "../../database/database.ts";
import { type Outcome, refuse, sessionHasEnded } from "../../refusals.ts";
import type { SessionParts } from "../parts.ts";
import { hashToken, makeSecret } from "../token.ts";
import { nextChallenges } from "./challenges.ts";
import { readRegistration } from "./proof.ts";
import { findLive, lockRow, type Row } from "./row.ts";

/** A new bound cookie, and the challenge that the browser signs for the next one. */
export type Bound = { sessionId: string; boundToken: string; challenge: string };

type Asked = { sessionId: string; proof: string | null };

/**
 * Registers a browser's key for a session that has none, with the challenge from its sign-in. The id names
 * the session; the challenge proves who asks, since only the answer to the sign-in carried it. (Browsers
 * leave out the session cookie after a sign-in that came from another site.) The session counts as bound only
 * once its browser sends the bound cookie, so a lost answer locks nobody out.
 */
export async function registerDevice(
  parts: SessionParts,
  { sessionId, proof }: Asked,
  now: number,
): Promise<Outcome<Bound>> {
  const { settings, database } = parts;
  const found = await findLive(parts, sessionId, now);
  if (!found) return sessionHasEnded();
  const signed = proof === null ? null : await readRegistration(proof);
  if (!signed || !isOffered(found, signed.challenge, now)) return refuse("device_proof_wrong");
  const boundToken = makeSecret();
  return database.write(async (write) => {
    const row = await lockRow(write, sessionId);
    if (!row) return sessionHasEnded();
    if (!isOffered(row, signed.challenge, now)) return refuse("device_proof_wrong");
    const challenges = nextChallenges(row, signed.challenge, settings, now);
    await write.query
      .updateTable("session")
      .set({
        binding_key: JSON.stringify(signed.key),
        bound_hash: hashToken(boundToken),
        bound_until: now + settings.bindingRefresh,
        ...challenges,
      })
      .where("id", "=", sessionId)
      .execute();
    return { ok: true, sessionId, boundToken, challenge: challenges.challenge };
  });
}

/** Whether the sign-in of this session offered to register a key against this challenge, and none is registered yet. */
function isOffered(row: Row, challenge: string, now: number): boolean {
  return row.binding_key === null && row.challenge === challenge && now < (row.challenge_until ?? 0);
}

/** Notes that a browser has sent its bound cookie: from now on, its session requires one. */
export async function confirmBinding(
  { database }: Pick<SessionParts, "database">,
  session: Pick<FoundSession, "id" | "accountId">,
  now: number,
): Promise<void> {
  await database.write(async (write) => {
    await write.query
      .updateTable("session")
      .set({ bound_at: now })
      .where("id", "=", session.id)
      .where("bound_at", "is", null)
      .where("binding_key", "is not", null)
      .execute();
    write.announce(session.accountId);
  });
}
