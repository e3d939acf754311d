import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { type HeldBack, isAnyHourOver, takeFromBudget, takeHoursOver } from "../mail/budget.ts";
import { emailsHeldBack } from "../mail/held-back.ts";
import type { Link, Message } from "../mail/layout.ts";
import { type Admit, type OutgoingEmail, storeEmails } from "../mail/outgoing.ts";
import { siteNameOf } from "../options/options.ts";
import { readEmailAddress } from "./email-address.ts";
import { makeNotMeLink } from "./emailed-links.ts";
import type { AccountParts } from "./parts.ts";

/** What every email mentions: the site, the account, the time and the device. */
export function emailContext(
  parts: Pick<AccountParts, "settings">,
  email: string,
  now: number,
  device?: string,
) {
  const { name, baseUrl, accent, support } = parts.settings;
  return {
    product: siteNameOf(parts.settings),
    email,
    at: now,
    ...(name === null ? {} : { host: baseUrl.host }),
    ...(accent === null ? {} : { colour: { ground: accent.light.accent, words: accent.light.on } }),
    ...(support === null ? {} : { support }),
    ...(device === undefined ? {} : { device }),
  };
}

/** Stores emails in the transaction that causes them; they are sent once it is committed. */
export async function writeEmails(
  { seal, mailer }: Pick<AccountParts, "seal" | "mailer">,
  write: Write,
  emails: readonly OutgoingEmail[],
  now: number,
): Promise<void> {
  if (emails.length === 0) return;
  await storeEmails(seal, write, emails, now);
  write.afterCommit(mailer.sendDue);
}

export type NoticeContext = ReturnType<typeof emailContext> & { notMeLink: Link };

/**
 * Writes an email to the owner about something that happened to the account. Its link "This wasn't me" also
 * ends the session that did it (`sessionId`). `device` is the name of that session's device.
 */
export async function writeNotice(
  parts: AccountParts,
  write: Write,
  account: Account,
  by: { sessionId: string | null; device: string | undefined; now: number },
  messageOf: (context: NoticeContext) => Message,
): Promise<void> {
  const { sessionId, device, now } = by;
  const notMeLink = await makeNotMeLink(parts, write, account, sessionId, now);
  const context = { ...emailContext(parts, account.email, now, device), notMeLink };
  await writeEmails(parts, write, [{ to: account.email, message: messageOf(context) }], now);
}

type Counting = Pick<AccountParts, "settings" | "seal">;

/** Lets an email out if its address may get one, and tells it what was held back in the hour before. */
export function admitByBudget(parts: Counting): Admit {
  return async (write, { to, message }, now) => {
    if (!parts.settings.rateLimits) return true;
    const recipient = readEmailAddress(to) ?? { email: to, key: to };
    const { goes, before } = await takeFromBudget(write, recipient, message.share ?? "ordinary", now);
    if (before) await storeEmails(parts.seal, write, [heldBackEmail(parts, before, now)], now);
    return goes;
  };
}

/** Tells every address whose hour is over how many of its emails were held back. */
export async function tellHeldBack(parts: AccountParts, now: number): Promise<void> {
  if (!(await isAnyHourOver(parts.database, now))) return;
  await parts.database.write(async (write) => {
    const over = await takeHoursOver(write, now);
    const emails = over.map((heldBack) => heldBackEmail(parts, heldBack, now));
    await writeEmails(parts, write, emails, now);
  });
}

function heldBackEmail(parts: Counting, { email, count }: HeldBack, now: number): OutgoingEmail {
  return { to: email, message: emailsHeldBack({ ...emailContext(parts, email, now), count }) };
}
