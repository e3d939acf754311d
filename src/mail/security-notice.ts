import { compose, type Link, type Message, type Occasion } from "./layout.ts";

/** The link of the button "This wasn't me". */
export type WithNotMe = { notMeLink: Link };

/**
 * An email about something that has happened to the account, with a link for an owner who didn't do it.
 * `reported` is the device that the link logs out.
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
