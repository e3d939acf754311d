import { findAccountByEmail } from "../credentials/account.ts";
import { readEmailAddress } from "../credentials/email-address.ts";
import { type EmailedLink, findAccountLink } from "../credentials/emailed-links.ts";
import { networkLimit, resetLimit } from "../credentials/limits/network-limit.ts";
import { forgetWrongPasswords } from "../credentials/limits/tries.ts";
import { methodsOf } from "../credentials/login-method-list.ts";
import { rememberRemoved } from "../credentials/method-origins.ts";
import { ALWAYS, type By, OF_NO_SESSION, removeUnproved } from "../credentials/ownership.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import { hashNewPassword } from "../credentials/passwords/new-password.ts";
import { changeByLink, resetEmail } from "../credentials/security-change.ts";
import { writeEmails } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import { type Account, lockAccount } from "../database/lock.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";

/** Emails a reset link if the address has an account. Answer and time are the same for every address. */
export async function askForReset(visit: Visit, email: string): Promise<Outcome> {
  const { parts, clientInfo, now } = visit;
  const address = readEmailAddress(email);
  const tooMany = await parts.attempts.take(
    [
      await resetLimit(parts, { typed: email, address }, clientInfo),
      await networkLimit(parts, "email_network", clientInfo, address && { emailKey: address.key }),
    ],
    now,
  );
  if (tooMany) return tooMany;
  parts.afterAnswer(async () => {
    const account = address ? await findAccountByEmail(parts.database, address.key) : undefined;
    if (account && account.suspended_at === null)
      await sendResetEmail(parts, account, clientInfo.device.label, now);
  });
  return { ok: true };
}

/** Emails a reset link, unless the account's address or suspension has changed since the account was read. */
export async function sendResetEmail(
  parts: AccountParts,
  account: Account,
  label: string,
  now: number,
): Promise<void> {
  await parts.database.write(async (write) => {
    const locked = await lockAccount(write, account.id);
    const same = locked?.email_key === account.email_key && locked.suspended_at === account.suspended_at;
    if (!same) return;
    const email = await resetEmail(parts, write, account, messages.resetPassword, { label, now });
    await writeEmails(parts, write, [email], now);
  });
}

/** Sets a new password with an emailed link. Every session ends (S14), nobody is signed in, and 2FA stays. */
export async function resetPassword(
  visit: Visit,
  asked: { token: string; password: string },
): Promise<Outcome> {
  const { parts, clientInfo, now } = visit;
  const link = await findAccountLink(parts.database, ["reset_password"], asked.token, now);
  if (!link) return refuse("link_expired");
  const { account_id: accountId, email } = link;
  // Counted by link, so that an intruder who is still signed in can't use up the owner's tries.
  const limit = { kind: "new_password", of: asked.token } as const;
  const hashed = await hashNewPassword(parts, { password: asked.password, email, limit }, now);
  if (!hashed.ok) return hashed;
  const { passwordHash } = hashed;
  return changeByLink(visit, link, async (write, account) => {
    const by = { label: clientInfo.device.label, now };
    const removed = await setPassword(parts, write, { account, link, passwordHash }, by);
    // Earlier guesses by others must not lock the owner out with the new password.
    await forgetWrongPasswords(parts, write, account);
    const methods = await methodsOf(parts, write.query, account);
    const kept = methods.filter(({ kind, works }) => works && kind !== "password").map(({ name }) => name);
    return {
      ends: { event: "password_reset", of: { accountId } },
      newCredentials: true,
      recorded: { kind: "password_reset" },
      notice: (context) => messages.passwordWasReset({ ...context, removed, kept }),
    };
  });
}

/**
 * Using the link proves that somebody owns its address, so what was set up before the owner's first proof is
 * removed with the old password; returns the names of what was removed. The address counts as confirmed only
 * if it is still the account's: a report's link goes to the address that the account had at the time.
 */
async function setPassword(
  parts: AccountParts,
  write: Write,
  reset: { account: Account; link: EmailedLink; passwordHash: string },
  by: By,
): Promise<string[]> {
  const { account, link, passwordHash } = reset;
  const { now } = by;
  const provesAddress = account.email_key === link.email_key;
  const removed = await removeUnproved(parts, write, account, by);
  await rememberRemoved(write, account, { kind: "password", id: "password" }, now);
  await write.query
    .updateTable("account")
    .set({
      password_hash: passwordHash,
      password_set_at: now,
      password_blocked_at: null,
      ...OF_NO_SESSION,
      password_added_at: now,
      ...(provesAddress ? { email_verified_at: account.email_verified_at ?? now, owner_since: ALWAYS } : {}),
    })
    .where("id", "=", account.id)
    .execute();
  return removed;
}
