import { findAccount } from "../credentials/account.ts";
import { acceptAuthentication } from "../credentials/passkeys/passkeys.ts";
import { type Outcome, refuse, sessionHasEnded } from "../refusals.ts";
import { type Acting, type GivenFactors, renewProved, requireProof } from "./proof.ts";

/** The factors that a request offers as proof: the first, the second, or both. */
type GivenProof = GivenFactors & { passkey?: unknown; browser: string | null };

/**
 * Proves again that it's the owner, with the password or a passkey, and with a second factor if 2FA is on. A
 * second factor alone completes a first one from the last 10 minutes, such as a proof at a provider.
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

/** A passkey counts as both factors if its authenticator verified the user. */
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
