import { compose, type Link, type Message, type Occasion } from "./layout.ts";

/** With the link, the email has a button for an owner who did none of it; without, it says what to do instead. */
export type WithNotMe = { notMeLink?: Link };

/**
 * An email about something that has happened to the account, with the way out for an owner who did none of it.
 * `reported` is what the link logs out.
 */
export function securityNotice(
  occasion: Occasion & WithNotMe,
  subject: string,
  lines: string[],
  reported = "that device",
): Message {
  const { notMeLink, product } = occasion;
  if (notMeLink === undefined) {
    const after = `If this wasn't you, reset your password now: "Forgot password?" on the login page of ${product}.`;
    return compose(occasion, { subject, lines, after: [after], share: "notice" });
  }
  return compose(occasion, {
    subject,
    lines,
    share: "notice",
    button: { words: "This wasn't me", link: notMeLink },
    after: [
      `The link starts a password reset, logs ${reported} out if it is still logged in, and removes the login methods that were added there. It works for 7 days, once.`,
    ],
  });
}
