import { findAccount, findAccountByEmail } from "../credentials/account.ts";
import { readEmailAddress } from "../credentials/email-address.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import type { Provider, ProviderIdentity } from "../credentials/providers/provider.ts";
import type { Write } from "../database/database.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { makeId } from "../sessions/token.ts";
import { afterFirstFactor, type SignInResult } from "./sign-in.ts";
import { signUpWithProvider } from "./sign-up.ts";

/** Authentication methods (RFC 8176): knowledge, possession, biometrics. Two kinds count as both. */
const KINDS_OF_PROOF = [
  ["pwd", "pin", "kba"],
  ["otp", "hwk", "swk", "sc", "sms", "tel"],
  ["face", "fpt", "iris", "retina", "vbm"],
];

/** Signs in to the account that is connected to a provider's identity; if there is none, signs up. */
export async function signInWithProvider(
  visit: Visit,
  provider: Provider,
  identity: ProviderIdentity,
): Promise<SignInResult> {
  const known = await findIdentity(visit.parts, identity);
  if (known) return signInAs(visit, known, countsAsBoth(provider, identity));
  const done = await signUpOrExplain(visit, provider, identity);
  if (done.ok) return done;
  // Of two requests at once, as after a double click, the other one may have signed this person up.
  const since = await findIdentity(visit.parts, identity);
  return since ? signInAs(visit, since, countsAsBoth(provider, identity)) : done;
}

async function signInAs(
  visit: Visit,
  known: { id: string; account_id: string },
  bothFactors: boolean,
): Promise<SignInResult> {
  const account = await findAccount(visit.parts.database, known.account_id);
  if (!account) return refuse("provider_failed");
  const passed = { signedInWith: "oidc", methodId: known.id, bothFactors } as const;
  const done = await afterFirstFactor(visit, account, passed, async ({ query }) => {
    const used = query
      .updateTable("oidc_identity")
      .set({ last_used_at: visit.now })
      .where("id", "=", known.id);
    // It may have been disconnected since it was looked up.
    return (await used.returning("id").executeTakeFirst()) !== undefined;
  });
  return done === "changed_meanwhile" ? refuse("provider_failed") : done;
}

/** Whether a sign-in at the provider counts as both factors: it is trusted to say so, and says so. */
export function countsAsBoth({ settings }: Provider, { amr }: ProviderIdentity): boolean {
  if (!settings.trustAmr) return false;
  const kinds = KINDS_OF_PROOF.filter((kind) => kind.some((one) => amr.includes(one)));
  return amr.includes("mfa") || kinds.length > 1;
}

/**
 * No account is connected to this subject. The email never decides who someone is: if its address has an
 * account, its owner has to log in and connect the provider; otherwise this is a sign-up.
 */
async function signUpOrExplain(
  visit: Visit,
  provider: Provider,
  identity: ProviderIdentity,
): Promise<SignInResult> {
  const { parts, now } = visit;
  const address = identity.email === null ? null : readEmailAddress(identity.email);
  if (!address) return refuse("provider_no_email");
  const { emailVerified: verified } = identity;
  // Before the look-up: a provider that lets anyone enter any address would reveal which have accounts.
  if (parts.settings.signUp !== "open" && !verified) return refuse("provider_no_email");
  if (await findAccountByEmail(parts.database, address.key)) return refuse("provider_account_exists");
  const store = newIdentity(provider, identity, now, now);
  const done = await signUpWithProvider(visit, { address, verified, store });
  return !done.ok && done.code === "email_taken" ? refuse("provider_account_exists") : done;
}

/** Finds the account that is connected to a provider's issuer and subject. */
export async function findIdentity(parts: AccountParts, { issuer, subject }: ProviderIdentity) {
  return parts.database.read
    .selectFrom("oidc_identity")
    .select(["id", "account_id"])
    .where("issuer", "=", issuer)
    .where("subject", "=", subject)
    .executeTakeFirst();
}

/** Connects a provider's identity to an account, once: one subject belongs to one account. */
export function newIdentity(
  provider: Provider,
  { issuer, subject }: ProviderIdentity,
  now: number,
  usedAt: number | null = null,
) {
  return async (write: Write, accountId: string): Promise<Outcome<{ id: string }>> => {
    const row = {
      id: makeId(),
      account_id: accountId,
      provider: provider.settings.id,
      issuer,
      subject,
      created_at: now,
      last_used_at: usedAt,
    };
    const stored = await write.query
      .insertInto("oidc_identity")
      .values(row)
      .onConflict((conflict) => conflict.columns(["issuer", "subject"]).doNothing())
      .returning("id")
      .executeTakeFirst();
    return stored ? { ok: true, id: stored.id } : refuse("method_taken");
  };
}
