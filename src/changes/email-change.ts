import { isTaken } from "../credentials/account.ts";
import { type EmailAddress, readEmailAddress } from "../credentials/email-address.ts";
import {
  type AccountLink,
  type EmailedLink,
  endLinks,
  makeLink,
  redeemLink,
} from "../credentials/emailed-links.ts";
import { networkLimit } from "../credentials/limits/network-limit.ts";
import { ALWAYS } from "../credentials/ownership.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { emailContext } from "../credentials/send-emails.ts";
import { isUniqueViolation, type Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import * as messages from "../mail/messages.ts";
import type { OutgoingEmail } from "../mail/outgoing.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { DAY } from "../sessions/expiry.ts";
import type { ClientInfo } from "../sessions/start.ts";
import { makeId } from "../sessions/token.ts";
import { changeSecurity } from "./change-security.ts";
import { type Acting, type GivenFactors, requireProof } from "./proof.ts";

/** How long a confirmed change can be reversed, in ms. */
const REVERSIBLE_FOR = 7 * DAY;

/**
 * Starts a change of address: emails a link to the new address, and a notice with a link to cancel to the old
 * one. Nothing changes before the new address is confirmed. If the new address is taken, the answer is the
 * same.
 */
export async function askForEmailChange(
  acting: Acting,
  asked: GivenFactors & { email: string; asking: ClientInfo },
): Promise<Outcome> {
  const { parts, current, now } = acting;
  const address = readEmailAddress(asked.email);
  if (!address) return refuse("invalid_email");
  const proof = await requireProof(acting, { ...asked, named: true }, "both");
  if (!proof.ok) return proof;
  if (address.key === proof.account.email_key)
    return refuse("invalid_email", "That is your address already.");
  const tooMany = await parts.attempts.take(
    [
      { kind: "email", of: `change:${current.accountId}` },
      // The new address may be a stranger's, so emails to it are counted across all accounts.
      { kind: "email", of: address.key },
      await networkLimit(parts, "email_network", asked.asking, { id: current.accountId }),
    ],
    now,
  );
  if (tooMany) return tooMany;
  return changeSecurity(acting, { proved: proof.account }, async (write, account) => ({
    recorded: { kind: "email_change_requested", detail: { email: address.email } },
    emails: () => linksForChange(acting, write, account, address),
    answer: {},
  }));
}

/** The emails of a change: a link to cancel for the old address, a link to confirm for the new one. */
async function linksForChange(
  { parts, current, now }: Acting,
  write: Write,
  account: Account,
  address: EmailAddress,
): Promise<OutgoingEmail[]> {
  const { id: account_id, email, email_key } = account;
  const ids = { account_id, change_id: makeId() };
  const reversal = { kind: "email_reversal", ...ids, email, email_key } as const;
  const reversalLink =
    account.email_verified_at === null ? null : await makeLink(parts, write, reversal, now);
  const notice = {
    ...emailContext(parts, email, now, current.label),
    newEmail: address.email,
    link: reversalLink,
  };
  const toOld: OutgoingEmail = { to: email, message: messages.addressChangeAsked(notice) };
  if (await isTaken(write, address.key, account.id, now)) {
    // As a new link would: otherwise the older one, if it still worked, would tell that this address is taken.
    await endLinks(write, { kind: "confirm_email", account_id, email_key: address.key });
    const owner = await write.query
      .selectFrom("account")
      .select("email")
      .where("email_key", "=", address.key)
      .executeTakeFirst();
    const to = owner?.email ?? address.email;
    return [toOld, { to, message: messages.addressAlreadyTaken(emailContext(parts, to, now)) }];
  }
  const confirm = {
    kind: "confirm_email",
    ...ids,
    email: address.email,
    email_key: address.key,
    session_id: current.id,
    label: current.label,
  } as const;
  const link = await makeLink(parts, write, confirm, now);
  const context = { ...emailContext(parts, address.email, now, current.label), oldEmail: email, link };
  return [toOld, { to: address.email, message: messages.confirmNewAddress(context) }];
}

/**
 * Changes the address once it is confirmed. The browser must be signed in to the account, so that nobody can
 * hand their account to the reader of another address. The change and the endings (S8) are one transaction;
 * the session that asked and the one that confirms stay.
 */
export async function confirmEmailChange(acting: Acting, link: AccountLink): Promise<Outcome> {
  const { parts, current, now } = acting;
  const label = link.label ?? current.label;
  return changeSecurity(acting, "signed_in", async (write, account) => {
    if (!(await redeemLink(write, link, now))) return refuse("link_expired");
    if (await isTaken(write, link.email_key, account.id, now)) return refuse("link_expired");
    const asked = link.session_id ?? current.id;
    return {
      ends: { event: "email_changed", of: { accountId: account.id, exceptIds: [current.id, asked] } },
      afterEndings: () => moveTo(write, account, link, now),
      newCredentials: true,
      recorded: { kind: "email_changed", detail: { email: link.email } },
      label,
      emails: () => tellOldAddress(parts, write, { account, link, by: label }, now),
      answer: {},
    };
  }).catch((error: unknown) => {
    if (isUniqueViolation(error)) return refuse("link_expired");
    throw error;
  });
}

async function moveTo(write: Write, account: Account, link: EmailedLink, now: number): Promise<void> {
  await write.query
    .updateTable("account")
    .set({
      email: link.email,
      email_key: link.email_key,
      email_verified_at: now,
      // If the old address was never confirmed, the person who confirms the new one is the owner.
      owner_since: account.owner_since ?? ALWAYS,
    })
    .where("id", "=", account.id)
    .execute();
  await write.query
    .updateTable("emailed_link")
    .set({ confirmed_at: now, expires_at: now + REVERSIBLE_FOR })
    .where("account_id", "=", account.id)
    .where("kind", "=", "email_reversal")
    .where("change_id", "=", link.change_id)
    .execute();
}

/**
 * Tells the old address of the change, with a link that reverses it. An old address that was never confirmed
 * may have been mistyped: its reader is told nothing, and links that were emailed there stop working.
 */
async function tellOldAddress(
  parts: AccountParts,
  write: Write,
  change: { account: Account; link: EmailedLink; by: string },
  now: number,
): Promise<OutgoingEmail[]> {
  const { account, link, by } = change;
  const { id: account_id, email, email_key } = account;
  if (account.email_verified_at === null) {
    await write.query
      .deleteFrom("emailed_link")
      .where("account_id", "=", account_id)
      .where("email_key", "=", email_key)
      .execute();
    return [];
  }
  const { change_id } = link;
  const about = { account_id, email, email_key, change_id, confirmed_at: now };
  const reversalLink = await makeLink(parts, write, { kind: "email_reversal", ...about }, now);
  const context = { ...emailContext(parts, email, now, by), newEmail: link.email, link: reversalLink };
  return [{ to: email, message: messages.addressChanged(context) }];
}
