import { carryOut, type SecurityChange } from "../credentials/security-change.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { device } from "../history/actor.ts";
import type { Outcome, Refusal } from "../refusals.ts";
import { type Acting, type Given, type Level, lockProved, lockSignedIn, requireProof } from "./proof.ts";

/**
 * What allows a change: a proof that is still to be asked for; one that the rule has asked for already, since
 * its limits come between proof and lock; or being signed in, where the rule judges the rest under the lock.
 */
export type Allowed = { given: Given; level: Level } | { proved: Account } | "signed_in";

/**
 * The one way of a signed-in person's change of security: proof → lock → the rule's own part → endings → new
 * credential version → activity → announcement → emails. `change` does only what is the rule's own and says
 * what the rest is, and what the caller is told; where it refuses, none of the rest is done.
 */
export async function changeSecurity<T extends object>(
  acting: Acting,
  allowed: Allowed,
  change: (write: Write, account: Account) => Promise<(SecurityChange & { answer: T }) | Refusal>,
): Promise<Outcome<T>> {
  const { parts, current, now } = acting;
  const by = { actor: device(current.label), sessionId: current.id };
  return withProof(acting, allowed, async (write, account) => {
    const changed = await change(write, account);
    if ("code" in changed) return changed;
    await carryOut(parts, write, account, changed, by, now);
    return { ok: true, ...changed.answer };
  });
}

/** Proof, then lock, then `work` in the same transaction; refused where the proof no longer holds under the lock. */
export async function withProof<T extends object>(
  acting: Acting,
  allowed: Allowed,
  work: (write: Write, account: Account) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const { parts, current } = acting;
  const proved = await provedAccount(acting, allowed);
  if (!proved.ok) return proved;
  return parts.database.write(async (write) => {
    const { account } = proved;
    const locked = await (account ? lockProved(acting, write, account) : lockSignedIn(write, current));
    return locked.ok ? work(write, locked.account) : locked;
  });
}

async function provedAccount(
  acting: Acting,
  allowed: Allowed,
): Promise<Outcome<{ account: Account | null }>> {
  if (allowed === "signed_in") return { ok: true, account: null };
  if ("proved" in allowed) return { ok: true, account: allowed.proved };
  return requireProof(acting, allowed.given, allowed.level);
}
