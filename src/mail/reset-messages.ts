import { compose, type Link, type Message, type Occasion } from "./layout.ts";

type WithLink = Occasion & { link: Link };

/** After a reset request, which anyone can make. The link expires after 30 minutes. */
export function resetPassword(context: WithLink): Message {
  const why = `Someone asked to reset the password of your account on ${context.product}.`;
  const otherwise = "If you didn't ask for it, ignore this email: nothing changes until the link is used.";
  return reset(context, [why], otherwise);
}

/**
 * After the owner has reported something through the link in an email; so it doesn't say "ignore this email".
 */
export function secureAccount(context: WithLink): Message {
  return reset(context, [chooseNow(context)], AFTER_THAT);
}

/** The same, to a former address of the account; `movedTo` is the present one. */
export function secureMovedAccount(context: WithLink & { movedTo: string }): Message {
  const moved = `The address of your account was changed to ${context.movedTo}: that is the one to log in with now. If you didn't change it, first choose "Keep my address" in the email about that change: it brings your own address back, and sends you a new link.`;
  return reset(context, [chooseNow(context), moved], AFTER_THAT);
}

const AFTER_THAT = 'After that, use "Forgot password?" on the login page.';

const chooseNow = ({ product }: Occasion) =>
  `To secure your account on ${product}, choose a new password now.`;

function reset(context: WithLink, [why, ...more]: [string, ...string[]], otherwise: string): Message {
  return compose(context, {
    subject: "Reset your password",
    share: "rescue",
    lines: [`${why} Setting a new one logs out every device.`, ...more],
    button: { words: "Choose a new password", link: context.link },
    after: [`The link works for 30 minutes, once. ${otherwise}`],
  });
}
