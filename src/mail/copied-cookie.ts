import type { Message, Occasion } from "./layout.ts";
import { securityNotice, type WithNotMe } from "./security-notice.ts";

/** A copy of a bound session's cookie was used somewhere else; `session` is the device that it was copied from. */
export function cookieCopyUsed(occasion: Occasion & WithNotMe & { session: string }): Message {
  const { product, session } = occasion;
  return securityNotice(occasion, `A copy of your session on ${session} was used`, [
    `Someone used a copy of the cookie that keeps ${session} logged in to your account on ${product}. It was refused: your session is bound to its device, and nobody is logged out.`,
    `A cookie is usually copied by malware on that device. Check it before you log in there again, and change your password from another device.`,
  ]);
}
