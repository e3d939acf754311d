import type { Kysely } from "kysely";
import { Secret, TOTP } from "otpauth";
import type { Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";
import type { Settings } from "../options/options.ts";
import type { AccountParts } from "./parts.ts";
import { spendRecoveryCode, storedForms } from "./recovery-codes.ts";

/** What a person gives as the second factor: one of the two. */
export type SecondFactor = { code?: string | undefined; recoveryCode?: string | undefined };

/** The same, ready to be judged in a transaction: a recovery code as it would be stored. */
export type ReadySecondFactor = { code?: string | undefined; recoveryCodeForms?: Uint8Array[] | undefined };

export type Accepted = "totp" | "recovery_code";

const PERIOD = 30_000;
const STEPS_EITHER_SIDE = 1;

export async function hasTwoFactor(
  { query }: { query: Kysely<Schema> },
  accountId: string,
): Promise<boolean> {
  const row = await query
    .selectFrom("two_factor")
    .select("confirmed_at")
    .where("account_id", "=", accountId)
    .where("confirmed_at", "is not", null)
    .executeTakeFirst();
  return row !== undefined;
}

/** A fresh TOTP secret of 160 bits, in base32, and the address that a QR code carries (RFC 6238). */
export function makeTotpSecret(settings: Settings, email: string): { secret: string; uri: string } {
  const name = settings.name ?? settings.baseUrl.hostname;
  // In an authenticator app a colon parts the site from the account.
  const issuer = name.replaceAll(":", "");
  const totp = new TOTP({ issuer, label: email, secret: new Secret({ size: 20 }) });
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/** Hashes a given recovery code; to be done after the limits and before the transaction that judges it. */
export async function readySecondFactor(
  parts: AccountParts,
  accountId: string,
  { code, recoveryCode }: SecondFactor,
): Promise<ReadySecondFactor> {
  if (code !== undefined || recoveryCode === undefined) return { code };
  return { recoveryCodeForms: await storedForms(parts, accountId, recoveryCode) };
}

/**
 * Accepts a second factor and uses it up, or returns null. A TOTP step counts once for a secret, a
 * recovery code once at all; of parallel takers one gets it.
 */
export async function acceptSecondFactor(
  parts: AccountParts,
  write: Write,
  accountId: string,
  given: ReadySecondFactor,
  now: number,
): Promise<Accepted | null> {
  if (given.code !== undefined)
    return (await acceptTotp(parts, write, accountId, given.code, now)) ? "totp" : null;
  if (given.recoveryCodeForms === undefined) return null;
  return (await spendRecoveryCode(write, accountId, given.recoveryCodeForms)) ? "recovery_code" : null;
}

/** Checks a code against the secret of an account, begun or confirmed, and marks its step as used. */
export async function acceptTotp(
  parts: AccountParts,
  write: Write,
  accountId: string,
  code: string,
  now: number,
): Promise<boolean> {
  const step = await totpStep(parts, write, accountId, code, now);
  return step !== null && markStep(write, accountId, step);
}

/** The step that a code is of, used or not; null where it is none of the account's. */
export async function totpStep(
  { seal }: AccountParts,
  { query }: { query: Kysely<Schema> },
  accountId: string,
  code: string,
  now: number,
): Promise<number | null> {
  const row = await query
    .selectFrom("two_factor")
    .select("secret")
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  const digits = code.replace(/\s/g, "");
  if (!row || !/^\d{6}$/.test(digits)) return null;
  const secret = Secret.fromBase32(seal.open(row.secret, accountId));
  const delta = TOTP.validate({ token: digits, secret, timestamp: now, window: STEPS_EITHER_SIDE });
  return delta === null ? null : Math.floor(now / PERIOD) + delta;
}

async function markStep(write: Write, accountId: string, step: number): Promise<boolean> {
  const used = await write.query
    .insertInto("used_step")
    .values({ account_id: accountId, step })
    .onConflict((conflict) => conflict.doNothing())
    .returning("step")
    .executeTakeFirst();
  if (!used) return false;
  await write.query
    .deleteFrom("used_step")
    .where("account_id", "=", accountId)
    .where("step", "<", step - 2 * STEPS_EITHER_SIDE - 1)
    .execute();
  return true;
}

export async function removeTwoFactor(write: Write, accountId: string): Promise<void> {
  for (const table of ["two_factor", "recovery_code", "used_step"] as const) {
    await write.query.deleteFrom(table).where("account_id", "=", accountId).execute();
  }
}
