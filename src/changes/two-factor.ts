import { secondFactorTries } from "../credentials/limits/tries.ts";
import { makeRecoveryCodes, storeRecoveryCodes } from "../credentials/recovery-codes.ts";
import {
  acceptTotp,
  hasTwoFactor,
  makeTotpSecret,
  removeTwoFactor,
  totpStep,
} from "../credentials/second-factor.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { changeSecurity, withProof } from "./change-security.ts";
import { type Acting, type GivenFactors, requireProof } from "./proof.ts";

/** Makes a secret for the authenticator app. 2FA isn't on until the person has given a code from the app. */
export async function beginTwoFactor(
  acting: Acting,
  currentPassword: string | undefined,
): Promise<Outcome<{ secret: string; uri: string }>> {
  const { parts, now } = acting;
  const allowed = { given: { currentPassword, named: true }, level: "one" } as const;
  return withProof(acting, allowed, async (write, { id, email }) => {
    if (await hasTwoFactor(write, id)) return refuse("already_on");
    const { secret, uri } = makeTotpSecret(parts.settings, email);
    await removeTwoFactor(write, id);
    await write.query
      .insertInto("two_factor")
      .values({ account_id: id, secret: parts.seal.close(secret, id), confirmed_at: null, created_at: now })
      .execute();
    return { ok: true, secret, uri };
  });
}

/** Turns 2FA on with a code from the app. Pending sign-ins end, since they began without 2FA. */
export async function turnTwoFactorOn(
  acting: Acting,
  code: string,
): Promise<Outcome<{ recoveryCodes: string[] }>> {
  const { parts, current, now } = acting;
  const proof = await requireProof(acting, { named: false }, "one");
  if (!proof.ok) return proof;
  const own = await secondFactorTries(parts, current.accountId, current.deviceHash);
  const tooMany = await parts.attempts.take([own], now);
  if (tooMany) return tooMany;
  // Checked first: making ten recovery codes costs as much as hashing ten passwords.
  const step = await totpStep(parts, { query: parts.database.read }, current.accountId, code, now);
  if (step === null) return refuse("wrong_code");
  const fresh = await makeRecoveryCodes(parts);
  return changeSecurity(acting, { proved: proof.account }, async (write, { id }) => {
    if ((await hasTwoFactor(write, id)) || !(await acceptTotp(parts, write, id, code, now)))
      return refuse("wrong_code");
    await parts.attempts.release(write, own);
    const { query } = write;
    await query.updateTable("two_factor").set({ confirmed_at: now }).where("account_id", "=", id).execute();
    await storeRecoveryCodes(write, id, fresh);
    await query.updateTable("session").set({ both_proved_at: now }).where("id", "=", current.id).execute();
    return {
      ends: { event: "two_factor_turned_on", of: { accountId: id } },
      newCredentials: true,
      recorded: { kind: "two_factor_on" },
      notice: messages.twoFactorTurnedOn,
      answer: { recoveryCodes: fresh.codes },
    };
  });
}

/** Turns 2FA off. Needs both the password and a second factor. */
export async function turnTwoFactorOff(acting: Acting, given: GivenFactors): Promise<Outcome> {
  const { current } = acting;
  return changeSecurity(acting, bothFactors(given), async (write, { id }) => {
    if (!(await hasTwoFactor(write, id))) return refuse("not_on");
    await removeTwoFactor(write, id);
    return {
      newCredentials: true,
      recorded: { kind: "two_factor_off" },
      notice: (context) => messages.twoFactorTurnedOff({ ...context, by: current.label }),
      answer: {},
    };
  });
}

/** Replaces the recovery codes with ten new ones. */
export async function renewCodes(
  acting: Acting,
  given: GivenFactors,
): Promise<Outcome<{ recoveryCodes: string[] }>> {
  const { parts, current } = acting;
  const { given: both, level } = bothFactors(given);
  const proof = await requireProof(acting, both, level);
  if (!proof.ok) return proof;
  if (!(await hasTwoFactor({ query: parts.database.read }, current.accountId))) return refuse("not_on");
  const fresh = await makeRecoveryCodes(parts);
  return changeSecurity(acting, { proved: proof.account }, async (write, { id }) => {
    await storeRecoveryCodes(write, id, fresh);
    return {
      recorded: { kind: "recovery_codes_renewed" },
      notice: messages.recoveryCodesRenewed,
      answer: { recoveryCodes: fresh.codes },
    };
  });
}

/** The current password and a second factor, both given with this request. */
function bothFactors(given: GivenFactors) {
  return { given: { ...given, named: true }, level: "both_now" } as const;
}
