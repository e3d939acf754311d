import type { EmailedLink } from "../credentials/emailed-links.ts";
import { findLink, makeResetLink, redeemLink } from "../credentials/emailed-links.ts";
import { removeAddedSince } from "../credentials/ownership.ts";
import type { AccountParts } from "../credentials/parts.ts";
import type { OutgoingEmail } from "../credentials/send-emails.ts";
import { emailContext, sendEmails } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import { isUniqueViolation } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { lockAccount } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import type { ClientInfo } from "../sessions/start.ts";

/**
 * The old address says no. An unconfirmed change is cancelled and ends no session; a confirmed one is
 * undone: the address is back, every session ends, the password opens nothing until it is reset, and a
 * reset begins.
 */
export async function reverseEmailChange(
  parts: AccountParts,
  token: string,
  clientInfo: ClientInfo,
  now: number,
): Promise<Outcome> {
  const known = await findLink(parts.database, ["email_reversal"], token, now);
  const accountId = known?.account_id;
  if (!accountId) return refuse("link_expired");
  const reverse = async (write: Write): Promise<OutgoingEmail[] | null> => {
    const account = await lockAccount(write, accountId);
    const link = account && (await redeemLink(write, ["email_reversal"], token, now));
    if (!account || !link) return null;
    if (link.confirmed_at !== null)
      return undoChange(parts, write, { account, link, label: clientInfo.device.label }, now);
    await endLinksOfChange(write, accountId, link.change_id);
    return [];
  };
  const emails = await parts.database.write(reverse).catch((error: unknown) => {
    if (isUniqueViolation(error)) return null;
    throw error;
  });
  if (emails === null) return refuse("link_expired");
  sendEmails(parts, emails);
  return { ok: true };
}

async function undoChange(
  parts: AccountParts,
  write: Write,
  change: { account: Account; link: EmailedLink; label: string },
  now: number,
): Promise<OutgoingEmail[]> {
  const { account, link, label } = change;
  const accountId = account.id;
  const begunAt = await endLinksSince(write, accountId, link);
  // What was added after the change was asked for is the thief's. What is older is judged at the reset.
  await removeAddedSince(parts, write, accountId, begunAt);
  await endBecauseOf(write, "email_change_reversed", { accountId }, { by: device(label), at: now });
  await write.query
    .updateTable("account")
    .set({
      email: link.email,
      email_key: link.email_key,
      email_verified_at: now,
      password_blocked_at: now,
      credential_version: account.credential_version + 1,
    })
    .where("id", "=", accountId)
    .execute();
  await record(write, { accountId, kind: "email_changed", at: now, label, detail: { email: link.email } });
  const restored = { id: accountId, email: link.email, email_key: link.email_key };
  const resetLink = await makeResetLink(parts, write, restored, label, now);
  const context = emailContext(parts, link.email, now, label);
  return [
    { to: link.email, message: messages.emailChangeReversed(context) },
    { to: link.email, message: messages.resetPassword({ ...context, link: resetLink }) },
  ];
}

/** Ends every other reversal link of this change and of later ones; returns when the change was asked for. */
async function endLinksSince(write: Write, accountId: string, link: EmailedLink): Promise<number> {
  const ofChange = await write.query
    .selectFrom("emailed_link")
    .select("created_at")
    .where("account_id", "=", accountId)
    .where("change_id", "=", link.change_id)
    .execute();
  const begunAt = Math.min(link.created_at, ...ofChange.map((row) => row.created_at));
  await endLinksOfChange(write, accountId, link.change_id);
  await write.query
    .deleteFrom("emailed_link")
    .where("account_id", "=", accountId)
    .where("kind", "=", "email_reversal")
    .where("created_at", ">=", begunAt)
    .execute();
  return begunAt;
}

async function endLinksOfChange(write: Write, accountId: string, changeId: string | null): Promise<void> {
  await write.query
    .deleteFrom("emailed_link")
    .where("account_id", "=", accountId)
    .where("change_id", "=", changeId)
    .execute();
}
