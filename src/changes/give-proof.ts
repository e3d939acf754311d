import { findAccount } from "../credentials/account.ts";
import { acceptAuthentication } from "../credentials/passkeys/passkeys.ts";
import { type Outcome, refuse, sessionHasEnded } from "../refusals.ts";
import { type Acting, type GivenFactors, renewProved, requireProof } from "./proof.ts";

/** What a proof is given with: a first factor, the second one, or both. */
type GivenProof = GivenFactors & { passkey?: unknown; browser: string | null };

/**
 * Proves it once more, with the password or a passkey, and a second factor where 2FA is on; changes nothing
 * else. A second factor alone completes a first one of the last 10 minutes, such as a proof at a provider.
 */
export async function prove(acting: Acting, given: GivenProof): Promise<Outcome> {
  const { parts, current } = acting;
  if (given.passkey !== undefined) return proveWithPasskey(acting, given);
  const withPassword = given.currentPassword !== undefined;
  if (!withPassword && current.twoFactorAt === null)
    return refuse("invalid_input", "currentPassword is missing.", { field: "currentPassword" });
  const account = await findAccount(parts.database, current.accountId);
  if (!account) return sessionHasEnded();
  if (withPassword && account.password_hash === null)
    return refuse("wrong_password", "This account has no password.");
  return requireProof(acting, { ...given, named: withPassword }, "both_now");
}

/** An authenticator that knew its owner counts as both factors. */
async function proveWithPasskey(
  acting: Acting,
  { passkey: response, browser, code, recoveryCode }: GivenProof,
): Promise<Outcome> {
  const { parts, current, now } = acting;
  const accepted = await acceptAuthentication(parts, { response, browser }, now);
  if (accepted?.passkey.account_id !== current.accountId)
    return refuse("wrong_passkey", undefined, { status: 422 });
  const { userVerified: bothFactors } = accepted;
  const renewed = await renewProved(acting, { bothFactors });
  if (!renewed.ok || bothFactors) return renewed;
  return requireProof(acting, { code, recoveryCode, named: false }, "both_now");
}
