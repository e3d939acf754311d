import { findAccount } from "../credentials/account.ts";
import { networkLimit } from "../credentials/limits/network-limit.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import { acceptAuthentication } from "../credentials/passkeys/passkeys.ts";
import { findPasskey } from "../credentials/passkeys/stored-passkeys.ts";
import type { Write } from "../database/database.ts";
import { refuse } from "../refusals.ts";
import type { ClientInfo } from "../sessions/start.ts";
import { afterFirstFactor, type SignInResult } from "./sign-in.ts";

/**
 * Signs in with a passkey. It counts as both factors if the authenticator verified the user (PIN or
 * biometrics). A mere touch counts as the first factor; the second is then required if 2FA is on.
 */
export async function signInWithPasskey(
  visit: Visit,
  answer: { response: unknown; browser: string | null },
): Promise<SignInResult> {
  const { parts, clientInfo, now } = visit;
  const network = await networkLimit(
    parts,
    "password_network",
    clientInfo,
    await ownerOf(parts, answer, clientInfo),
  );
  const tooMany = await parts.attempts.take([network], now);
  if (tooMany) return tooMany;
  const accepted = await acceptAuthentication(parts, answer, now);
  const account = accepted && (await findAccount(parts.database, accepted.passkey.account_id));
  if (!accepted || !account)
    return refuse("wrong_passkey", "That passkey is not known here. Try another way to log in.");
  const { passkey, userVerified } = accepted;
  const passed = { signedInWith: "passkey", methodId: passkey.id, bothFactors: userVerified } as const;
  const done = await afterFirstFactor(visit, account, passed, async (write) => {
    await parts.attempts.giveBack(write, network);
    return isThere(write, passkey.id);
  });
  return done === "changed_meanwhile" ? refuse("wrong_passkey") : done;
}

/** Whose passkey this claims to be; looked up only if that matters for the limit. */
async function ownerOf(
  parts: AccountParts,
  { response }: { response: unknown },
  { network, isReturning }: ClientInfo,
): Promise<{ id: string } | null> {
  if (!network.generous || !isReturning || typeof response !== "object" || response === null) return null;
  const passkey = await findPasskey(parts.database, "id" in response ? response.id : null);
  return passkey ? { id: passkey.account_id } : null;
}

/** Whether the passkey still exists: it may have been disconnected since its answer was checked. */
async function isThere({ query }: Write, id: string): Promise<boolean> {
  return (
    (await query.selectFrom("passkey").select("id").where("id", "=", id).executeTakeFirst()) !== undefined
  );
}
