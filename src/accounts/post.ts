import type { Message } from "../mail/messages.ts";
import type { AccountParts } from "./parts.ts";

/** A mail that goes out once the transaction that caused it is committed. */
export type Letter = { to: string; message: Message };

/** What every mail says: for which site, to which account, when, and from which device. */
export function about(parts: AccountParts, email: string, now: number, device?: string) {
  return {
    product: parts.settings.baseUrl.host,
    email,
    at: now,
    ...(device === undefined ? {} : { device }),
  };
}

export function post(parts: AccountParts, letters: readonly Letter[]): void {
  for (const { to, message } of letters) parts.mailer.send(to, message);
}
