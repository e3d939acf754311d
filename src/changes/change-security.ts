import { carryOut, type SecurityChange } from "../credentials/security-change.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { device } from "../history/actor.ts";
import type { Outcome, Refusal } from "../refusals.ts";
import { type Acting, type Given, type Level, lockProved, lockSignedIn, requireProof } from "./proof.ts";

/**
 * What allows a change: a proof that is still to be checked; one that the caller has already checked, because
 * its limits apply between proof and lock; or just being signed in, if `change` checks the rest under the
 * lock.
 */
export type Allowed = { given: Given; level: Level } | { proved: Account } | "signed_in";

/**
 * The only way in which a signed-in person changes their account's security: proof → lock → `change` →
 * endings → new credential version → activity → announcement → emails. `change` does what is specific to the
 * change, and describes the other steps and the answer. If it refuses, none of the steps after it happen.
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

/** Checks the proof, then locks the account and runs `work`. Refuses if the proof no longer holds by then. */
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
