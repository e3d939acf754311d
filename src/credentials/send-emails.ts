import type { Write } from "../database/database.ts";
import type { HeldBack } from "../mail/budget.ts";
import { emailsHeldBack } from "../mail/held-back.ts";
import { type Admit, type OutgoingEmail, storeEmails } from "../mail/outgoing.ts";
import { siteNameOf } from "../options/options.ts";
import { readEmailAddress } from "./email-address.ts";
import type { AccountParts } from "./parts.ts";

/** What every email says: for which site, to which account, when, and from which device. */
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

/** Writes emails in the transaction that causes them; returns how many. They go out with `sendEmails`, after the commit. */
export function writeEmails(
  parts: Pick<AccountParts, "seal">,
  write: Write,
  emails: readonly OutgoingEmail[],
  now: number,
): Promise<number> {
  return storeEmails(parts.seal, write, emails, now);
}

/** Sends what was written, after the answer, once it is committed. */
export function sendEmails(parts: Pick<AccountParts, "mailer">, written: number): void {
  if (written > 0) parts.mailer.sendDue();
}

type Counting = Pick<AccountParts, "settings" | "emailBudget" | "seal">;

/** Lets an email out as far as its address may still get some, and says what is to be said of the hour before. */
export function admitByBudget(parts: Counting): Admit {
  return async (write, { to, message }, now) => {
    if (!parts.settings.rateLimits) return true;
    const recipient = readEmailAddress(to) ?? { email: to, key: to };
    const { goes, before } = await parts.emailBudget.take(write, recipient, message.share ?? "ordinary", now);
    if (before) await writeEmails(parts, write, [heldBackEmail(parts, before, now)], now);
    return goes;
  };
}

/** Tells every address whose hour is over how many emails it did not get. */
export async function tellHeldBack(parts: AccountParts, now: number): Promise<void> {
  if (!(await parts.emailBudget.isAnyOver(now))) return;
  const written = await parts.database.write(async (write) => {
    const over = await parts.emailBudget.takeOver(write, now);
    const emails = over.map((heldBack) => heldBackEmail(parts, heldBack, now));
    return writeEmails(parts, write, emails, now);
  });
  sendEmails(parts, written);
}

function heldBackEmail(parts: Counting, { email, count }: HeldBack, now: number): OutgoingEmail {
  return { to: email, message: emailsHeldBack({ ...emailContext(parts, email, now), count }) };
}
