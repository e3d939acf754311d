import type { Write } from "../database/database.ts";
import { type Account, lockAccount } from "../database/lock.ts";
import { type ActivityEntry, record } from "../history/activity.ts";
import { type Actor, device } from "../history/actor.ts";
import type { Message } from "../mail/layout.ts";
import * as messages from "../mail/messages.ts";
import type { OutgoingEmail } from "../mail/outgoing.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { type EndedBy, type EndingEvent, endBecauseOf } from "../sessions/endings.ts";
import { overAt } from "../sessions/expiry.ts";
import { type AccountLink, type EmailedLink, makeLink, redeemLink } from "./emailed-links.ts";
import type { AccountParts, Visit } from "./parts.ts";
import { emailContext, type NoticeContext, writeEmails, writeNotice } from "./send-emails.ts";

type Ends = { [E in EndingEvent]: { event: E; of: EndedBy<E> } }[EndingEvent];

/** Describes an allowed change of an account's security. `carryOut` does these steps, in this order. */
export type SecurityChange = {
  /** The event in the table of endings, and whose sessions it ends. */
  ends?: Ends;
  /** Changes the account's address, or deletes the account. Runs after the endings; see `lockAccount`. */
  afterEndings?: () => Promise<unknown>;
  /** Whether sign-ins and proofs that were checked against the old credentials must be checked again. */
  newCredentials?: boolean;
  recorded?: Pick<ActivityEntry, "kind" | "detail">;
  /** The device to name as the one that made the change, if it isn't the request's. */
  label?: string;
  /** The email to the account's address, with the link "This wasn't me". */
  notice?: (context: NoticeContext, ended: number) => Message;
  /** Other emails; their links are made in the same transaction. */
  emails?: () => OutgoingEmail[] | Promise<OutgoingEmail[]>;
};

/** Who makes the change; `sessionId` is set if it is a signed-in person. */
export type ChangedBy = { actor: Actor; sessionId: string | null };

/**
 * Does what all changes of security have in common. The caller has locked the account. Returns how many
 * sessions ended.
 */
export async function carryOut(
  parts: AccountParts,
  write: Write,
  account: Account,
  change: SecurityChange,
  { actor, sessionId }: ChangedBy,
  now: number,
): Promise<number> {
  const { ends, recorded, notice } = change;
  const by = change.label === undefined ? actor : device(change.label);
  const ended = ends
    ? await endBecauseOf(write, ends.event, ends.of, { by, at: now }, overAt(parts, now))
    : 0;
  await change.afterEndings?.();
  if (change.newCredentials) await raiseCredentialVersion(write, account);
  if (recorded) await record(write, { accountId: account.id, at: now, label: by.name, ...recorded });
  write.announce(account.id);
  await writeEmails(parts, write, (await change.emails?.()) ?? [], now);
  if (notice) {
    const done = { sessionId, device: by.isDevice ? by.name : undefined, now };
    await writeNotice(parts, write, account, done, (context) => notice(context, ended));
  }
  return ended;
}

/**
 * Makes a change that an emailed link allows: locks the account and uses up the link. If `change` returns
 * null, the link no longer fits the account, and is refused as if it had expired.
 */
export async function changeByLink(
  { parts, clientInfo, now }: Visit,
  found: AccountLink,
  change: (write: Write, account: Account, link: EmailedLink) => Promise<SecurityChange | null>,
): Promise<Outcome> {
  const by = { actor: device(clientInfo.device.label), sessionId: null };
  return parts.database.write(async (write) => {
    const account = await lockAccount(write, found.account_id);
    const link = account && (await redeemLink(write, found, now));
    const changed = link && (await change(write, account, link));
    if (!changed) return refuse("link_expired");
    await carryOut(parts, write, account, changed, by, now);
    return { ok: true };
  });
}

/** An account, and the address to which its email goes. */
type Mailbox = Pick<Account, "id" | "email" | "email_key">;

export async function verificationEmail(
  parts: AccountParts,
  write: Write,
  { id: account_id, email, email_key }: Mailbox,
  now: number,
  label?: string,
): Promise<OutgoingEmail> {
  const link = await makeLink(parts, write, { kind: "verify_address", account_id, email, email_key }, now);
  return { to: email, message: messages.verifyAddress({ ...emailContext(parts, email, now, label), link }) };
}

/** Begins a password reset: makes the email with the link, to the account's address or a former one. */
export async function resetEmail(
  parts: AccountParts,
  write: Write,
  { id: account_id, email, email_key }: Mailbox,
  messageOf: typeof messages.resetPassword,
  { label, now }: { label: string; now: number },
): Promise<OutgoingEmail> {
  await record(write, { accountId: account_id, kind: "password_reset_requested", at: now, label });
  const link = await makeLink(parts, write, { kind: "reset_password", account_id, email, email_key }, now);
  return { to: email, message: messageOf({ ...emailContext(parts, email, now, label), link }) };
}

async function raiseCredentialVersion({ query }: Write, account: Account): Promise<void> {
  await query
    .updateTable("account")
    .set({ credential_version: account.credential_version + 1 })
    .where("id", "=", account.id)
    .execute();
}
