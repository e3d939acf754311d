import type { Kysely } from "kysely";
import type { FoundSession, Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";
import { issuerKey } from "../options/oidc.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import type { Account } from "../sessions/hold.ts";
import { holdSession } from "../sessions/hold.ts";
import { renewToken } from "../sessions/renew.ts";
import { findAccount } from "./account.ts";
import type { AccountParts } from "./parts.ts";
import { acceptAuthentication } from "./passkeys.ts";

/** How long a proof holds, in ms: a sign-in, or the password given once more. */
const PROOF_HOLDS = 10 * 60_000;

/** The session that asks for a change, as its request was authenticated. */
export type Acting = FoundSession;

/**
 * Wants a proof that it is still the owner who acts: the current password where the account has one and
 * the row names it, else a proof of the last 10 minutes. Returns the account as it was judged.
 */
export async function requireProof(
  parts: AccountParts,
  acting: Acting,
  given: { currentPassword?: string | undefined; named: boolean },
  now: number,
): Promise<Outcome<{ account: Account }>> {
  const account = await findAccount(parts.database, acting.accountId);
  if (!account) return signedOutMeanwhile();
  if (given.named && account.password_hash !== null) {
    return checkCurrentPassword(parts, acting, account, given.currentPassword, now);
  }
  if (isProved(acting, now)) return { ok: true, account };
  const methods = await proofMethods(parts, parts.database.read, account);
  return refuse("proof_needed", "Confirm that it is you, then try again.", { methods });
}

/** Whether a proof of the last 10 minutes still holds. */
export function isProved(acting: Acting, now: number): boolean {
  return now - acting.provedAt < PROOF_HOLDS;
}

/** How this account can prove that it is its owner: `password`, `passkey`, or `oidc:` and a provider. */
export async function proofMethods(
  parts: AccountParts,
  query: Kysely<Schema>,
  account: Account,
): Promise<string[]> {
  const passkey = await query
    .selectFrom("passkey")
    .select("id")
    .where("account_id", "=", account.id)
    .executeTakeFirst();
  const identities = await query
    .selectFrom("oidc_identity")
    .select(["provider", "issuer"])
    .where("account_id", "=", account.id)
    .execute();
  const providers = parts.settings.oidc.filter((one) =>
    identities.some(({ provider, issuer }) => provider === one.id && issuer === issuerKey(one.issuer)),
  );
  return [
    ...(account.password_hash === null ? [] : ["password"]),
    ...(passkey && parts.settings.baseUrl.hasName ? ["passkey"] : []),
    ...providers.map(({ id }) => `oidc:${id}`),
  ];
}

async function checkCurrentPassword(
  parts: AccountParts,
  acting: Acting,
  account: Account,
  password: string | undefined,
  now: number,
): Promise<Outcome<{ account: Account }>> {
  if (password === undefined) {
    return refuse("invalid_input", "currentPassword is missing.", { field: "currentPassword" });
  }
  const limit = { kind: "password", of: `current:${account.id}` } as const;
  return parts.attempts.inTurn(limit, async () => {
    const tooMany = await parts.attempts.take([limit], now);
    if (tooMany) return tooMany;
    const { right } = await parts.passwords.verify(password, account.password_hash);
    if (!right) return refuse("wrong_password");
    await parts.database.write(async (write) => {
      await parts.attempts.release(write, { own: limit });
      await write.query.updateTable("session").set({ proved_at: now }).where("id", "=", acting.id).execute();
    });
    return { ok: true, account };
  });
}

/** Proves it once more, with the password or a passkey, and renews the token; changes nothing else. */
export async function prove(
  parts: AccountParts,
  acting: Acting,
  given: { currentPassword?: string | undefined; passkey?: unknown; browser: string | null },
  now: number,
): Promise<Outcome<{ token: string }>> {
  if (given.passkey !== undefined) return proveWithPasskey(parts, acting, given, now);
  const account = await findAccount(parts.database, acting.accountId);
  if (!account) return signedOutMeanwhile();
  if (account.password_hash === null) return refuse("wrong_password", "This account has no password.");
  const proof = await checkCurrentPassword(parts, acting, account, given.currentPassword, now);
  return proof.ok ? renewProved(parts, acting, now) : proof;
}

async function proveWithPasskey(
  parts: AccountParts,
  acting: Acting,
  given: { passkey?: unknown; browser: string | null },
  now: number,
): Promise<Outcome<{ token: string }>> {
  const accepted = await acceptAuthentication(
    parts,
    { response: given.passkey, browser: given.browser },
    now,
  );
  if (accepted?.passkey.account_id !== acting.accountId)
    return refuse("wrong_passkey", undefined, { status: 422 });
  return renewProved(parts, acting, now);
}

/** The proof is given: a new token for the session, which is now proved. */
export async function renewProved(
  parts: AccountParts,
  acting: Acting,
  now: number,
): Promise<Outcome<{ token: string }>> {
  const token = await parts.database.write((write) => renewToken(write, acting.id, now));
  return token === null ? signedOutMeanwhile() : { ok: true, token };
}

/**
 * The account, held for a change that `proof` allows. Refuses where the acting session has ended, or the
 * credentials have changed, since the proof was judged.
 */
export async function holdProved(
  write: Write,
  acting: Acting,
  proved: Account,
): Promise<Outcome<{ account: Account }>> {
  const account = await holdSession(write, acting.accountId, acting.id);
  if (!account) return signedOutMeanwhile();
  if (account.credential_version !== proved.credential_version) return refuse("wrong_password");
  return { ok: true, account };
}

export function signedOutMeanwhile() {
  return refuse("signed_out", "This session has ended.", { reason: "none" });
}
