import { type EmailedLink, endLinks, findAccountLink } from "../credentials/emailed-links.ts";
import { removeAddedSince } from "../credentials/ownership.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import { changeByLink, resetEmail, type SecurityChange } from "../credentials/security-change.ts";
import { emailContext } from "../credentials/send-emails.ts";
import { isUniqueViolation, type Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";

/**
 * Reverses a change of address, with the link that the old address got. An unconfirmed change is cancelled,
 * and no session ends. A confirmed one is undone: the old address is restored, every session ends, the
 * password is blocked until it is reset, and a reset begins. If the link's change was overtaken by a later one
 * from the same address, that one is cancelled or undone.
 */
export async function reverseEmailChange(visit: Visit, token: string): Promise<Outcome> {
  const { parts, clientInfo, now } = visit;
  const found = await findAccountLink(parts.database, ["email_reversal"], token, now);
  if (!found) return refuse("link_expired");
  const { label } = clientInfo.device;
  return changeByLink(visit, found, async (write, account, link) => {
    const confirmed = link.confirmed_at === null ? await confirmedSince(write, account, link, now) : link;
    if (confirmed) return undoChange(parts, write, { account, link: confirmed, label }, now);
    await cancelChange(write, account, link);
    return {};
  }).catch((error: unknown) => {
    if (isUniqueViolation(error)) return refuse("link_expired");
    throw error;
  });
}

async function undoChange(
  parts: AccountParts,
  write: Write,
  { account, link, label }: { account: Account; link: EmailedLink; label: string },
  now: number,
): Promise<SecurityChange> {
  const { id } = account;
  const { email, email_key } = link;
  const begunAt = await endLinksSince(write, id, link);
  // Login methods added since the change was asked for are the thief's. The reset checks the older ones.
  await removeAddedSince(parts, write, id, begunAt, { label, now });
  const restored = { email, email_key, email_verified_at: now, password_blocked_at: now };
  return {
    ends: { event: "email_change_reversed", of: { accountId: id } },
    afterEndings: () => write.query.updateTable("account").set(restored).where("id", "=", id).execute(),
    newCredentials: true,
    recorded: { kind: "email_changed", detail: { email } },
    emails: async () => [
      { to: email, message: messages.emailChangeReversed(emailContext(parts, email, now, label)) },
      await resetEmail(parts, write, { id, email, email_key }, messages.secureAccount, { label, now }),
    ],
  };
}

/**
 * Ends every other reversal link of this and later changes, and all links that were since emailed to other
 * addresses: a report from one of those would send a reset email there. Returns when the change was asked
 * for.
 */
async function endLinksSince(write: Write, accountId: string, link: EmailedLink): Promise<number> {
  const ofChange = await write.query
    .selectFrom("emailed_link")
    .select("created_at")
    .where("account_id", "=", accountId)
    .where("change_id", "=", link.change_id)
    .execute();
  const begunAt = Math.min(link.created_at, ...ofChange.map((row) => row.created_at));
  await write.query
    .deleteFrom("emailed_link")
    .where("account_id", "=", accountId)
    .where("created_at", ">=", begunAt)
    .where(({ or, eb }) => or([eb("kind", "=", "email_reversal"), eb("email_key", "!=", link.email_key)]))
    .execute();
  return begunAt;
}

/**
 * A change that was confirmed after another one from the same address had been asked for: whoever kept the
 * email about that one wants the address back all the same.
 */
async function confirmedSince(
  { query }: Write,
  account: Account,
  { email_key }: EmailedLink,
  now: number,
): Promise<EmailedLink | undefined> {
  if (account.email_key === email_key) return undefined;
  return query
    .selectFrom("emailed_link")
    .selectAll()
    .where("account_id", "=", account.id)
    .where("kind", "=", "email_reversal")
    .where("email_key", "=", email_key)
    .where("confirmed_at", "is not", null)
    .where("expires_at", ">", now)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** Ends the links of a change, and of a later one from the same address. */
async function cancelChange(
  write: Write,
  { id: account_id, email_key }: Account,
  link: EmailedLink,
): Promise<void> {
  await write.query
    .deleteFrom("emailed_link")
    .where("account_id", "=", account_id)
    .where("change_id", "=", link.change_id)
    .execute();
  if (email_key === link.email_key) await endLinks(write, { kind: "confirm_email", account_id, email_key });
}
