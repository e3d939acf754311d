import { deviceInSentence } from "../answers.ts";
import { compose, type Link, type Message, type Occasion } from "./layout.ts";
import { securityNotice as security, type WithNotMe } from "./security-notice.ts";

export { resetPassword, secureAccount, secureMovedAccount } from "./reset-messages.ts";

/** Asks for confirmation of an account's address. The link expires after 24 hours. */
export function verifyAddress(context: Occasion & { link: Link }): Message {
  return compose(context, {
    subject: "Confirm your email address",
    lines: [
      `Someone, hopefully you, created an account with ${context.email} on ${context.product}. Confirm that this address is yours. Opening the link changes nothing yet.`,
    ],
    button: { words: "Confirm this address", link: context.link },
    after: [
      "The link works for 24 hours. If you didn't create the account, open the link and choose \"I didn't create it\": every device is logged out, everything set up there is removed, and we send you a link to choose a new password.",
    ],
  });
}

/**
 * For sign-ups that start with an email: the link opens the page for choosing a password. It expires after 24
 * hours.
 */
export function finishSignUp(context: Occasion & { link: Link }): Message {
  return compose(context, {
    subject: "Finish creating your account",
    lines: [`Choose a password, and your account on ${context.product} is ready.`],
    button: { words: "Choose a password", link: context.link },
    after: ["The link works for 24 hours. If you didn't ask for an account, ignore this email."],
  });
}

/** After a sign-up with an address that already has an account; has no link. */
export function alreadyHasAccount(context: Occasion): Message {
  return compose(context, {
    subject: "You already have an account",
    lines: [
      `Someone tried to create an account with ${context.email} on ${context.product}. You already have one: log in as usual, or use "Forgot password?" on the login page.`,
      "If this wasn't you, there is nothing to do.",
    ],
  });
}

/** After a sign-up with an address reserved for the account that recently changed it; has no link. */
export function addressIsKept(context: Occasion): Message {
  return compose(context, {
    subject: "Your address is kept for your account",
    lines: [
      `Someone tried to create an account with ${context.email} on ${context.product}. Until lately it was the address of an account, which has another one now, and can take it back within 7 days of the change.`,
    ],
    after: [
      'If you changed it, log in with the new address. If you didn\'t, choose "Keep my address" in the email that told you of the change: it brings your account back.',
    ],
  });
}

export function passwordChanged(context: Occasion & WithNotMe & { othersLoggedOut: number }): Message {
  return security(context, "Your password was changed", [
    `The password of your account on ${context.product} was changed.`,
    loggedOut(context.othersLoggedOut),
  ]);
}

function loggedOut(others: number): string {
  if (others === 0) return "No other device was logged in.";
  return `${others === 1 ? "1 other device was" : `${others} other devices were`} logged out.`;
}

/**
 * `kept` names the login methods that still work, `removed` those removed since a stranger may have added
 * them.
 */
export function passwordWasReset(
  context: Occasion & WithNotMe & { kept: string[]; removed: string[] },
): Message {
  const kept = context.kept.map((name) => `"${name}"`).join(", ");
  return security(context, "Your password was reset", [
    `The password of your account on ${context.product} was reset with an emailed link. Every device was logged out.`,
    ...(context.removed.length === 0
      ? []
      : [
          `What was set up before you confirmed this address was removed, since it may be someone else's: ${context.removed.join(", ")}.`,
        ]),
    ...(kept === "" ? [] : [`These can still be used to log in: ${kept}.`]),
  ]);
}

/** Sent to the new address when a change is requested. The link expires after 60 minutes. */
export function confirmNewAddress(context: Occasion & { oldEmail: string; link: Link }): Message {
  return compose(context, {
    subject: "Confirm your new email address",
    lines: [
      `Someone, hopefully you, asked to change the address of the account ${context.oldEmail} on ${context.product} to ${context.email}. Confirming logs out your other devices.`,
    ],
    button: { words: "Confirm this address", link: context.link },
    after: [
      "The link works for 60 minutes. If you aren't logged in to this account, it asks you to log in first. If this wasn't you, ignore this email: nothing changes.",
    ],
  });
}

/**
 * Sent to the old address when a change is requested. The link cancels it; null if that address was never
 * confirmed.
 */
export function addressChangeAsked(context: Occasion & { newEmail: string; link: Link | null }): Message {
  const { link, product, newEmail } = context;
  const asked = {
    subject: "Your email address is about to change",
    share: "rescue" as const,
    lines: [
      `Someone asked to change your address on ${product} to ${newEmail}. It changes once the new address is confirmed.`,
    ],
  };
  if (link === null) {
    const after = `If you never created an account on ${product}, there is nothing to do: that account is giving up your address. To take it over instead, choose "Forgot password?" on the login page.`;
    return compose(context, { ...asked, after: [after] });
  }
  const after =
    "If this was you, there is nothing to do. If not, keep your address: the link works for 7 days, and brings it back even after it has changed.";
  return compose(context, { ...asked, button: { words: "Keep my address", link }, after: [after] });
}

/** Sent to the old address after a change. */
export function addressChanged(context: Occasion & { newEmail: string; link: Link }): Message {
  return compose(context, {
    subject: "Your email address was changed",
    share: "notice",
    lines: [
      `The address of your account on ${context.product} is now ${context.newEmail}. Your other devices were logged out.`,
    ],
    button: { words: "Keep my address", link: context.link },
    after: [
      "If this wasn't you, keep your address: the link works for 7 days. It brings this address back, logs out every device and starts a password reset.",
    ],
  });
}

/** Sent to the owner of an address that another account tried to change to; has no link. */
export function addressAlreadyTaken(context: Occasion): Message {
  return compose(context, {
    subject: "Someone tried to use your email address",
    lines: [
      `Someone with another account on ${context.product} tried to change its address to ${context.email}. It belongs to your account, so nothing happened.`,
    ],
  });
}

/** After an email reversal. The reset link comes in a separate email. */
export function emailChangeReversed(context: Occasion): Message {
  return compose(context, {
    subject: "Your email address is back",
    share: "rescue",
    lines: [
      `The address of your account on ${context.product} is ${context.email} again. Every device was logged out, and you can't sign in with your password until you reset it: the link is in the next email.`,
    ],
  });
}

export function twoFactorTurnedOn(context: Occasion & WithNotMe): Message {
  return security(context, "Two-factor authentication is on", [
    `Logging in to your account on ${context.product} now takes a code from your authenticator app.`,
  ]);
}

/** `by` is the device that did it, or "an administrator". */
export function twoFactorTurnedOff(context: Occasion & WithNotMe & { by: string }): Message {
  const by = context.by === context.device ? "" : ` by ${context.by}`;
  return security(context, "Two-factor authentication is off", [
    `Two-factor authentication for your account on ${context.product} was turned off${by}. Logging in no longer takes a code.`,
  ]);
}

export function recoveryCodesRenewed(context: Occasion & WithNotMe): Message {
  return security(context, "You have new recovery codes", [
    `New recovery codes were made for your account on ${context.product}. The old ones no longer work.`,
  ]);
}

export function recoveryCodeUsed(context: Occasion & WithNotMe & { left: number }): Message {
  const are = context.left === 1 ? "is" : "are";
  const left =
    context.left === 0 ? "None are left: make new ones now." : `${context.left} of 10 ${are} left.`;
  return security(context, "A recovery code was used", [
    `A recovery code was used for your account on ${context.product}. ${left}`,
  ]);
}

/** "Was this you?": a sign-in from a browser that this account hasn't used before. */
export function newSignIn(context: Occasion & WithNotMe & { device: string }): Message {
  return security(context, `New sign-in: ${context.device}`, [
    `Was this you? Someone logged in to your account on ${context.product} with ${deviceInSentence(context.device)}, a browser that your account hasn't used before. If it was you, there is nothing to do.`,
  ]);
}

/** After a correct first factor and a wrong second one; if the first was the password, someone knows it. */
export function wrongSecondFactor(context: Occasion & WithNotMe & { knowsPassword: boolean }): Message {
  const { knowsPassword, product } = context;
  const subject = knowsPassword ? "Someone knows your password" : "Someone got past your first step";
  const gave = knowsPassword ? "gave the right password" : "got past the first step of logging in";
  const account = knowsPassword ? `of your account on ${product}` : `to your account on ${product}`;
  return security(context, subject, [
    `Someone ${gave} ${account}, but gave a wrong code. They are not in. If you mistyped the code, there is nothing to do.`,
  ]);
}

/** `othersLoggedOut` is how many devices this logged out; undefined if it can't log out any. */
export function methodAdded(
  context: Occasion & WithNotMe & { name: string; othersLoggedOut?: number },
): Message {
  return security(context, `New login method: ${context.name}`, [
    `"${context.name}" can now be used to log in to your account on ${context.product}.`,
    ...(context.othersLoggedOut === undefined ? [] : [loggedOut(context.othersLoggedOut)]),
  ]);
}

export function methodRemoved(context: Occasion & WithNotMe & { name: string }): Message {
  return security(context, `Login method removed: ${context.name}`, [
    `"${context.name}" can no longer be used to log in to your account on ${context.product}. Devices that used it were logged out.`,
  ]);
}

export function accountDeleted(context: Occasion): Message {
  return compose(context, {
    subject: "Your account was deleted",
    share: "notice",
    lines: [
      `Your account on ${context.product} and everything that belonged to it were deleted. Every device was logged out.`,
    ],
    after: [`If this wasn't you, ask whoever runs ${context.product}.`],
  });
}

/** A copy of a bound session's cookie was used elsewhere; `session` is the device that it was copied from. */
export function cookieCopyUsed(context: Occasion & WithNotMe & { session: string }): Message {
  const { product, session } = context;
  const lines = [
    `Someone used a copy of the cookie that keeps ${session} logged in to your account on ${product}. It was refused: your session is bound to its device, and nobody was logged out.`,
    "A cookie is usually copied by malware on that device. Check it before you log in there again, and change your password from another device.",
  ];
  return security(context, `A copy of your session on ${session} was used`, lines, deviceInSentence(session));
}
