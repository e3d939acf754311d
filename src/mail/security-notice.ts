import { compose, type Link, type Message, type Occasion } from "./layout.ts";

/** Of the button for an owner who did none of it. */
export type WithNotMe = { notMeLink: Link };

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
  return compose(occasion, {
    subject,
    lines,
    share: "notice",
    button: { words: "This wasn't me", link: occasion.notMeLink },
    after: [
      `The link starts a password reset, logs ${reported} out if it is still logged in, and removes the login methods that were added there. It works for 7 days, once.`,
    ],
  });
}
