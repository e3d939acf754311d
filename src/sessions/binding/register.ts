import type { FoundSession } from "../../database/database.ts";
import type { Outcome } from "../../refusals.ts";
import { refuse } from "../../refusals.ts";
import type { SessionParts } from "../parts.ts";
import { hashToken, makeSecret } from "../token.ts";
import { nextChallenges } from "./challenges.ts";
import { readRegistration } from "./proof.ts";

/** A new bound cookie, and the challenge that the browser signs for the next one. */
export type Bound = { sessionId: string; boundToken: string; challenge: string };

/**
 * Registers a browser's key for the session that the request came with, against the challenge of its sign-in:
 * once, and never for a session that has a key. The session is bound from when its browser first shows the bound
 * cookie, so an answer that is lost locks nobody out.
 */
export async function registerDevice(
  { settings, database }: SessionParts,
  current: Pick<FoundSession, "id">,
  proof: string | null,
  now: number,
): Promise<Outcome<Bound>> {
  const signed = proof === null ? null : await readRegistration(proof);
  if (!signed) return refuse("device_proof_wrong");
  const boundToken = makeSecret();
  return database.write(async ({ query, locksRows }) => {
    const row = await query
      .selectFrom("session")
      .selectAll()
      .where("id", "=", current.id)
      .$if(locksRows, (one) => one.forUpdate())
      .executeTakeFirst();
    if (!row) return refuse("signed_out", "This session has ended.", { reason: "none" });
    const isOffered = row.challenge === signed.challenge && now < (row.challenge_until ?? 0);
    if (row.binding_key !== null || !isOffered) return refuse("device_proof_wrong");
    const challenges = nextChallenges(row, signed.challenge, settings, now);
    await query
      .updateTable("session")
      .set({
        binding_key: JSON.stringify(signed.key),
        bound_hash: hashToken(boundToken),
        bound_until: now + settings.bindingRefresh,
        ...challenges,
      })
      .where("id", "=", current.id)
      .execute();
    return { ok: true, sessionId: row.id, boundToken, challenge: challenges.challenge };
  });
}

/** Notes that a browser has shown its bound cookie: from now on its session is live only with one. */
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
