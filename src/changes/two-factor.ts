import { makeNotMeLink } from "../credentials/emailed-links.ts";
import { secondFactorTries } from "../credentials/limits/tries.ts";
import type { AccountParts } from "../credentials/parts.ts";
import type { SecondFactor } from "../credentials/second-factor.ts";
import {
  acceptTotp,
  hasTwoFactor,
  makeTotpSecret,
  removeTwoFactor,
  renewRecoveryCodes,
} from "../credentials/second-factor.ts";
import { emailContext, sendEmails } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import type { CurrentSession } from "./proof.ts";
import { lockProved, requireProof } from "./proof.ts";

/** Begins to turn 2FA on: a secret for the authenticator app. Nothing is on before a code of it was given. */
export async function beginTwoFactor(
  parts: AccountParts,
  current: CurrentSession,
  currentPassword: string | undefined,
  now: number,
): Promise<Outcome<{ secret: string; uri: string }>> {
  const proof = await requireProof(parts, current, { currentPassword, named: true }, "one", now);
  if (!proof.ok) return proof;
  return parts.database.write(async (write) => {
    const held = await lockProved(write, current, proof.account);
    if (!held.ok) return held;
    const { id, email } = held.account;
    if (await hasTwoFactor(write, id)) return refuse("already_on");
    const { secret, uri } = makeTotpSecret(new URL(parts.settings.baseUrl.origin).hostname, email);
    await removeTwoFactor(write, id);
    await write.query
      .insertInto("two_factor")
      .values({ account_id: id, secret: parts.seal.close(secret, id), confirmed_at: null, created_at: now })
      .execute();
    return { ok: true, secret, uri };
  });
}

/** Semaphore 2FA on with a code of the begun secret. Pending sign-ins end: they began without it. */
export async function turnTwoFactorOn(
  parts: AccountParts,
  current: CurrentSession,
  code: string,
  now: number,
): Promise<Outcome<{ recoveryCodes: string[] }>> {
  const proof = await requireProof(parts, current, { named: false }, "one", now);
  if (!proof.ok) return proof;
  const own = await secondFactorTries(parts, current.accountId, current.deviceHash);
  const tooMany = await parts.attempts.take([own], now);
  if (tooMany) return tooMany;
  const done = await parts.database.write(async (write) => {
    const held = await lockProved(write, current, proof.account);
    if (!held.ok) return held;
    const { account } = held;
    if ((await hasTwoFactor(write, account.id)) || !(await acceptTotp(parts, write, account.id, code, now))) {
      return refuse("wrong_code");
    }
    await parts.attempts.release(write, { own });
    const { query } = write;
    await query
      .updateTable("two_factor")
      .set({ confirmed_at: now })
      .where("account_id", "=", account.id)
      .execute();
    await query.updateTable("session").set({ both_proved_at: now }).where("id", "=", current.id).execute();
    const recoveryCodes = await renewRecoveryCodes(write, account.id);
    const doer = { by: device(current.label), at: now };
    await endBecauseOf(write, "two_factor_turned_on", { accountId: account.id }, doer);
    await bumpCredentialVersion(write, account);
    await record(write, { accountId: account.id, kind: "two_factor_on", at: now, label: current.label });
    write.announce(account.id);
    const notMeLink = await makeNotMeLink(parts, write, account, current.id, now);
    return { ok: true as const, recoveryCodes, notMeLink };
  });
  if (!done.ok) return done;
  const { email } = proof.account;
  const message = messages.twoFactorTurnedOn({
    ...emailContext(parts, email, now, current.label),
    notMeLink: done.notMeLink,
  });
  sendEmails(parts, [{ to: email, message }]);
  return { ok: true, recoveryCodes: done.recoveryCodes };
}

/** Semaphore 2FA off: the password and a second factor are both asked for. */
export async function turnTwoFactorOff(
  parts: AccountParts,
  current: CurrentSession,
  given: SecondFactor & { currentPassword?: string | undefined },
  now: number,
): Promise<Outcome> {
  const done = await withBothFactors(parts, current, given, now, async (write, account) => {
    await removeTwoFactor(write, account.id);
    await bumpCredentialVersion(write, account);
    await record(write, { accountId: account.id, kind: "two_factor_off", at: now, label: current.label });
    write.announce(account.id);
    return makeNotMeLink(parts, write, account, current.id, now);
  });
  if (!done.ok) return done;
  const { email } = done.account;
  const by = current.label;
  const message = messages.twoFactorTurnedOff({
    ...emailContext(parts, email, now, by),
    by,
    notMeLink: done.value,
  });
  sendEmails(parts, [{ to: email, message }]);
  return { ok: true };
}

/** Ten new recovery codes; the old ones end. */
export async function renewCodes(
  parts: AccountParts,
  current: CurrentSession,
  given: SecondFactor & { currentPassword?: string | undefined },
  now: number,
): Promise<Outcome<{ recoveryCodes: string[] }>> {
  const done = await withBothFactors(parts, current, given, now, async (write, account) => {
    const recoveryCodes = await renewRecoveryCodes(write, account.id);
    await record(write, {
      accountId: account.id,
      kind: "recovery_codes_renewed",
      at: now,
      label: current.label,
    });
    const notMeLink = await makeNotMeLink(parts, write, account, current.id, now);
    return { recoveryCodes, notMeLink };
  });
  if (!done.ok) return done;
  const { email } = done.account;
  const { recoveryCodes, notMeLink } = done.value;
  const message = messages.recoveryCodesRenewed({
    ...emailContext(parts, email, now, current.label),
    notMeLink,
  });
  sendEmails(parts, [{ to: email, message }]);
  return { ok: true, recoveryCodes };
}

/** Does `change` once the current password and a second factor were right, both given with this request. */
async function withBothFactors<T>(
  parts: AccountParts,
  current: CurrentSession,
  given: SecondFactor & { currentPassword?: string | undefined },
  now: number,
  change: (write: Write, account: Account) => Promise<T>,
): Promise<Outcome<{ account: Account; value: T }>> {
  const proof = await requireProof(parts, current, { ...given, named: true }, "both_now", now);
  if (!proof.ok) return proof;
  return parts.database.write(async (write) => {
    const held = await lockProved(write, current, proof.account);
    if (!held.ok) return held;
    const { account } = held;
    if (!(await hasTwoFactor(write, account.id))) return refuse("not_on");
    return { ok: true as const, account, value: await change(write, account) };
  });
}

/** A sign-in that judged the account before this change is refused, and judged anew. */
async function bumpCredentialVersion(write: Write, account: Account): Promise<void> {
  await write.query
    .updateTable("account")
    .set({ credential_version: account.credential_version + 1 })
    .where("id", "=", account.id)
    .execute();
}
