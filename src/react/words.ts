import { type Ending, Refused, relativeTime } from "../client/index.ts";

/** What went wrong, in a sentence for the person; `field` names the input it is about. */
export type Problem = { sentence: string; field?: string };

const SENTENCES: Record<string, Problem> = {
  wrong_credentials: { sentence: "Wrong email or password." },
  wrong_password: { sentence: "That is not your current password.", field: "currentPassword" },
  wrong_code: {
    sentence: "That code is not right, or was already used. Wait for the next one.",
    field: "code",
  },
  sign_in_expired: { sentence: "That took too long, or too many codes were wrong. Log in again." },
  account_suspended: { sentence: "This account is suspended. Ask whoever runs this site." },
  invalid_email: { sentence: "That is not an email address that can be used.", field: "email" },
  email_taken: { sentence: "This address already has an account. Log in instead.", field: "email" },
  too_many_attempts: { sentence: "Too many attempts. Try again in a few minutes." },
  sign_up_closed: { sentence: "New accounts can't be created here." },
  link_expired: { sentence: "This link has expired or was already used. Begin again." },
  already_verified: { sentence: "Your address is confirmed already." },
  last_login_method: { sentence: "This is the only way to log in that works. Add another one first." },
  method_taken: { sentence: "That login method belongs to an account already." },
  wrong_passkey: { sentence: "That passkey was not accepted. Try again, or use another way." },
  already_on: { sentence: "Two-factor authentication is on already." },
  not_on: { sentence: "Two-factor authentication is off already." },
  signed_out: { sentence: "You were logged out." },
  provider_failed: { sentence: "The other site's answer could not be used. Try again." },
  provider_other_person: {
    sentence:
      "That is another account at the other site than the one that is connected here. Nothing was changed.",
  },
  too_many_passkeys: { sentence: "This account has as many passkeys as it can hold. Disconnect one first." },
  provider_cancelled: { sentence: "You cancelled at the other site." },
  provider_no_email: {
    sentence: "The other site shared no confirmed email address. Sign up with an email and password.",
  },
  provider_account_exists: {
    sentence:
      "This address already has an account. Log in to it, or reset its password, then connect the site under Login methods.",
  },
  proof_needed: { sentence: "Confirm that it is you, then try again." },
};

const PASSWORD_FIELDS = ["newPassword", "password"];

/** Turns whatever was thrown into words: what happened, and what comes next. */
export function inWords(error: unknown): Problem {
  if (error instanceof PromptFailed) return { sentence: ofThePrompt(error.reason) };
  if (!(error instanceof Refused)) return { sentence: "No connection. Nothing was lost; try again." };
  const { code, facts } = error;
  if (code === "too_many_attempts")
    return { sentence: `Too many attempts. Try again in ${waitOf(facts.retryAfter)}.` };
  if (code === "weak_password")
    return { sentence: facts.detail ?? "Choose a longer password.", field: PASSWORD_FIELDS[0] ?? "" };
  if (code === "invalid_email" && facts.detail?.includes("already"))
    return { sentence: facts.detail, field: "email" };
  return SENTENCES[code] ?? { sentence: facts.detail ?? "That did not work. Try again." };
}

/** A passkey prompt that came to nothing; `reason` is the name that the browser gives it. */
export class PromptFailed extends Error {
  override name = "PromptFailed";
  readonly reason: string;

  constructor(cause: unknown) {
    super("The passkey prompt came to nothing.", { cause });
    this.reason = cause instanceof Error ? cause.name : "";
  }
}

function ofThePrompt(reason: string): string {
  // Browsers don't tell a prompt that was closed from a device that didn't recognize its owner.
  if (reason === "NotAllowedError") return "No passkey was used. Try again, or use another way.";
  if (reason === "InvalidStateError") return "This device has a passkey for this account already.";
  return "This browser could not use a passkey here. Try another way.";
}

/** A sentence for a code that came by the address of a page; null for one that is not known. */
export function sentenceOf(code: string | null): string | null {
  return code === null ? null : (SENTENCES[code]?.sentence ?? null);
}

function waitOf(seconds = 60): string {
  if (seconds < 90) return `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

/** A reason, and the question that goes with it where it may not have been the person: then a reset is offered. */
export type Why = { sentence: string; question: string | null };

/** Why you are on the login page; null where nothing ended. */
export function whyHere(ending: Ending, now: number): Why | null {
  const by = ending.by ?? "another device";
  const when = ending.at ? `, ${relativeTime(ending.at, now).toLowerCase()}` : "";
  const wasntYou = "Wasn't you?";
  switch (ending.reason) {
    case "none":
      return null;
    case "signed_out":
      return { sentence: "You logged out.", question: null };
    case "signed_out_remotely":
      return { sentence: `You were logged out from ${by}${when}.`, question: wasntYou };
    case "password_changed":
      return { sentence: `Your password was changed from ${by}${when}.`, question: wasntYou };
    case "email_changed":
      return { sentence: `Your email address was changed${when}.`, question: wasntYou };
    case "password_reset":
      return { sentence: `Your password was reset${when}. Log in with the new one.`, question: wasntYou };
    case "replaced":
      return {
        sentence: `Someone signed in to your account with ${by}, which replaced this session.`,
        question: "Not you?",
      };
    case "expired":
      return { sentence: "Your session reached its time limit. Log in again.", question: null };
    case "idle":
      return { sentence: "You were logged out because this device was unused for a while.", question: null };
    case "method_removed":
      return { sentence: "The login method that this device used was disconnected.", question: wasntYou };
    case "account_closed":
      return { sentence: "This account was closed.", question: null };
    case "reported":
      return { sentence: "This session was reported as not yours, and was ended.", question: "Not you?" };
  }
}

export function devices(count: number): string {
  return count === 1 ? "1 other device" : `${count} other devices`;
}
