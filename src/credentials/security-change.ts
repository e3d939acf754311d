import type { Write } from "../database/database.ts";
import { type Account, lockAccount } from "../database/lock.ts";
import { type ActivityEntry, record } from "../history/activity.ts";
import { type Actor, device } from "../history/actor.ts";
import type { Message } from "../mail/layout.ts";
import * as messages from "../mail/messages.ts";
import type { OutgoingEmail } from "../mail/outgoing.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { type EndedBy, type EndingEvent, endBecauseOf } from "../sessions/endings.ts";
import { type AccountLink, type EmailedLink, makeLink, redeemLink } from "./emailed-links.ts";
import type { AccountParts, Visit } from "./parts.ts";
import { emailContext, type NoticeContext, writeEmails, writeNotice } from "./send-emails.ts";

type Ends = { [E in EndingEvent]: { event: E; of: EndedBy<E> } }[EndingEvent];

/** What a rule says of its change, once it has allowed it; `carryOut` does the rest, in this order. */
export type SecurityChange = {
  /** The event of the table of endings, and whose sessions it concerns. */
  ends?: Ends;
  /** What changes the account's address, or deletes it: after the endings, as `lockAccount` says. */
  afterEndings?: () => Promise<unknown>;
  /** Whether sign-ins and proofs that were checked against the account as it was before are checked again. */
  newCredentials?: boolean;
  recorded?: Pick<ActivityEntry, "kind" | "detail">;
  /** The device that is named as having done it, where that isn't the one of the request. */
  label?: string;
  /** The email to the account's address, with the link "This wasn't me". */
  notice?: (context: NoticeContext, ended: number) => Message;
  /** Other emails; their links are made in the same transaction. */
  emails?: () => OutgoingEmail[] | Promise<OutgoingEmail[]>;
};

/** Who does it; `sessionId` where a signed-in person does. */
export type ChangedBy = { actor: Actor; sessionId: string | null };

/**
 * Does the part that all changes of security share, with the account locked by the caller. Returns how many
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
  const ended = ends ? await endBecauseOf(write, ends.event, ends.of, { by, at: now }) : 0;
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
 * A change that an emailed link allows: the account is locked, the link used up. Where `change` returns null, the
 * link no longer fits the account, and is refused like one that has expired.
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

/** An account, and the address of it that an email goes to. */
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

/** Begins a reset: the email with its link, to an address of the account, or to one that it had. */
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
