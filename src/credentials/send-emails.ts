import { setImmediate as nextTurn } from "node:timers/promises";
import type { HeldBack } from "../mail/budget.ts";
import { emailsHeldBack, type Message } from "../mail/messages.ts";
import { siteNameOf } from "../options/options.ts";
import { readEmailAddress } from "./email-address.ts";
import type { AccountParts } from "./parts.ts";

/** An email that goes out once the transaction that caused it is committed. */
export type OutgoingEmail = { to: string; message: Message };

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

/** Sends emails, after the answer and one after the other, as far as their addresses may still get some. */
export function sendEmails(parts: AccountParts, emails: readonly OutgoingEmail[]): void {
  if (emails.length === 0) return;
  parts.inBackground(async () => {
    // Not even the look at the budget may be seen in the time of the answer.
    await nextTurn();
    for (const email of emails) if (await mayGo(parts, email)) parts.mailer.send(email.to, email.message);
  });
}

async function mayGo(parts: AccountParts, { to, message }: OutgoingEmail): Promise<boolean> {
  const { settings, emailBudget, log } = parts;
  if (!settings.rateLimits) return true;
  const { share = "ordinary" } = message;
  const recipient = readEmailAddress(to) ?? { email: to, key: to };
  try {
    const { goes, before } = await emailBudget.take(recipient, share, settings.now());
    if (before) tell(parts, before);
    if (!goes)
      log.warn({ share }, "An email was held back: its address has had as many as it gets in an hour.");
    return goes;
  } catch (error) {
    log.error({ err: error }, "Emails can't be counted; one is sent all the same.");
    return true;
  }
}

/** Tells every address whose hour is over how many emails it did not get. */
export async function tellHeldBack(parts: AccountParts, now: number): Promise<void> {
  for (const heldBack of await parts.emailBudget.takeOver(now)) tell(parts, heldBack);
}

function tell(parts: AccountParts, { email, count }: HeldBack): void {
  parts.mailer.send(email, emailsHeldBack({ ...emailContext(parts, email, parts.settings.now()), count }));
}
