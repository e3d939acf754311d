import type { Kysely } from "kysely";
import { Secret, TOTP } from "otpauth";
import type { Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";
import type { Settings } from "../options/options.ts";
import type { AccountParts } from "./parts.ts";
import { spendRecoveryCode, storedForms } from "./recovery-codes.ts";

/** The second factor that a person types: a TOTP code or a recovery code. */
export type SecondFactor = { code?: string | undefined; recoveryCode?: string | undefined };

/** A second factor that can be checked in a transaction: a recovery code is already in its stored forms. */
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

/** A new TOTP secret of 160 bits (RFC 6238), in base32, and the otpauth URI for the QR code. */
export function makeTotpSecret(settings: Settings, email: string): { secret: string; uri: string } {
  const name = settings.name ?? settings.baseUrl.hostname;
  // Authenticator apps take a colon as the separator between site and account.
  const issuer = name.replaceAll(":", "");
  const totp = new TOTP({ issuer, label: email, secret: new Secret({ size: 20 }) });
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/** Hashes a typed recovery code. Call it after the limits and before the transaction that checks the code. */
export async function readySecondFactor(
  parts: AccountParts,
  accountId: string,
  { code, recoveryCode }: SecondFactor,
): Promise<ReadySecondFactor> {
  if (code !== undefined || recoveryCode === undefined) return { code };
  return { recoveryCodeForms: await storedForms(parts, accountId, recoveryCode) };
}

/**
 * Checks a second factor and uses it up; null if it is wrong. Each time step of TOTP and each recovery code
 * counts once: of several tries at once, only one succeeds.
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

/** Checks a TOTP code against an account's secret, confirmed or not, and marks its time step as used. */
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

/** The time step that a code belongs to, used or not; null if the code is wrong. */
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
