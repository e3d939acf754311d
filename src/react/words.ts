import { Refused, relativeTime, Unreachable } from "../client/index.ts";

/**
 * What went wrong, in a sentence for the person. `field` names the input it is about; `focus`, if it is about
 * several, the one to focus; `code` is that of the refusal.
 */
export type Problem = { sentence: string; field?: string; focus?: string; code?: string };

/** Problems by the code of the refusal. */
export const SENTENCES: Record<string, Problem> = {
  wrong_credentials: { sentence: "Wrong email or password.", focus: "password" },
  wrong_password: { sentence: "That is not your current password.", field: "currentPassword" },
  wrong_code: {
    sentence: "That code is not right, or was already used. Wait for the next one.",
    field: "code",
  },
  sign_in_expired: { sentence: "That took too long, or too many codes were wrong. Log in again." },
  account_suspended: { sentence: "This account is suspended. Ask whoever runs this site." },
  invalid_email: { sentence: "Enter a valid email address.", field: "email" },
  email_taken: { sentence: "This address already has an account.", field: "email" },
  too_many_attempts: { sentence: "Too many attempts. Try again in a few minutes." },
  sign_up_closed: { sentence: "New accounts can't be created here." },
  link_expired: { sentence: "This link has expired or was already used. Begin again." },
  already_verified: { sentence: "Your address is already confirmed." },
  last_login_method: { sentence: "This is the only way to log in that works. Add another one first." },
  method_taken: { sentence: "That login method already belongs to an account." },
  wrong_passkey: { sentence: "That passkey was not accepted. Try again, or use another way." },
  already_on: { sentence: "Two-factor authentication is already on." },
  not_on: { sentence: "Two-factor authentication is already off." },
  signed_out: { sentence: "You were logged out." },
  device_proof_needed: {
    sentence:
      "This browser couldn't prove that it is the one you logged in with. Try again, or log in again.",
  },
  two_factor_needed: { sentence: "This site asks for two-factor authentication. Set it up first." },
  too_many_passkeys: { sentence: "This account has as many passkeys as it can hold. Disconnect one first." },
  proof_needed: { sentence: "Confirm that it is you, then try again." },
};

/** Turns an error into words: what happened, and what to do next. */
export function inWords(error: unknown): Problem {
  if (error instanceof PromptFailed) return { sentence: promptInWords(error.reason) };
  if (error instanceof Unreachable && error.status !== null)
    return { sentence: "The server can't do that right now. Nothing was lost; try again in a minute." };
  if (!(error instanceof Refused)) return { sentence: "No connection. Nothing was lost; try again." };
  return { ...refusalInWords(error), code: error.code };
}

function refusalInWords({ code, facts }: Refused): Problem {
  if (code === "too_many_attempts")
    return { sentence: `Too many attempts. Try again in ${waitOf(facts.retryAfter)}.` };
  if (code === "weak_password")
    return { sentence: facts.detail ?? "Choose a longer password.", field: "newPassword" };
  if (code === "invalid_email" && facts.detail?.includes("already"))
    return { sentence: facts.detail, field: "email" };
  return SENTENCES[code] ?? { sentence: facts.detail ?? "That did not work. Try again." };
}

/** Rewords the problem for a recovery code, which unlike an app's code isn't followed by a next one. */
export function asRecoveryCode(problem: Problem | null): Problem | null {
  if (problem?.code !== "wrong_code") return problem;
  return { ...problem, sentence: "That recovery code is not right, or was already used. Try another one." };
}

/** A passkey prompt that failed or was closed; `reason` is the name of the browser's error. */
export class PromptFailed extends Error {
  override name = "PromptFailed";
  readonly reason: string;

  constructor(cause: unknown) {
    super("The passkey prompt failed.", { cause });
    this.reason = cause instanceof Error ? cause.name : "";
  }
}

function promptInWords(reason: string): string {
  // Browsers give the same error if the prompt was closed and if the device didn't recognize its owner.
  if (reason === "NotAllowedError") return "No passkey was used. Try again, or use another way.";
  if (reason === "InvalidStateError") return "This device already has a passkey for this account.";
  return "This browser could not use a passkey here. Try another way.";
}

/** With this many recovery codes or fewer, the person should make new ones. */
export const FEW_CODES = 3;

export function recoveryCodesLeft(left: number): string {
  if (left === 0) return "No recovery codes are left. Make new ones now.";
  const words = `${left} of 10 recovery codes ${left === 1 ? "is" : "are"} left.`;
  return left > FEW_CODES ? words : `Only ${words} Make new ones.`;
}

/** The errors for empty fields, by the field's name. */
export const EMPTY_FIELDS: Record<string, string> = {
  email: "Enter your email address.",
  password: "Enter your password.",
  currentPassword: "Enter your current password.",
  newPassword: "Enter a new password.",
  code: "Enter the code.",
  name: "Enter a name.",
};

type Reading = {
  /** Why the last try failed, if it did. */
  error: unknown;
  isOffline: boolean;
  /** When the shown data was loaded, in ms; null if there is none yet. */
  readAt: number | null;
};

/** Says why a list isn't up to date, and that it will update by itself; null if it is up to date. */
export function staleNotice({ error, isOffline, readAt }: Reading, now: number): string | null {
  // If the session is over, the page goes to the login page, which says why.
  if (error instanceof Refused && error.isSignedOut) return null;
  if (!isOffline && !error) return null;
  const shown =
    readAt === null
      ? "The list appears by itself as soon as it can be read."
      : `This is how it was ${relativeTime(readAt, now).toLowerCase()}. It updates by itself.`;
  return `${isOffline ? "You are offline." : whatFailed(error)} ${shown}`;
}

function whatFailed(error: unknown): string {
  if (error instanceof Refused && error.code === "too_many_attempts")
    return `Too many requests. The next try is in ${waitOf(error.facts.retryAfter)}.`;
  if (error instanceof Unreachable && error.status !== null) return "The server can't answer right now.";
  return "No answer from the server.";
}

function waitOf(seconds = 60): string {
  if (seconds < 90) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes <= 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

/** The name that the server uses for the command line in `by`. */
export const ADMINISTRATOR = "an administrator";

/** Shown with a session that is bound to its device; as text, since phones show no tooltips. */
export const BOUND = "Bound to this device: a copy of its cookies is worthless anywhere else.";

export function devices(count: number): string {
  if (count === 0) return "no other device";
  return count === 1 ? "1 other device" : `${count} other devices`;
}

export function othersWereLoggedOut(count: number): string {
  // They had already ended, perhaps by an earlier try whose answer was lost.
  if (count === 0) return "No other device is logged in.";
  return `${devices(count)} ${count === 1 ? "was" : "were"} logged out.`;
}

export function howManyDevices(count: number): string {
  return count === 1 ? "Only this device is logged in." : `${count} devices are logged in.`;
}

/** A list of more devices than this shows only its first rows at first. */
export const MANY_ROWS = 12;
export const ROWS_AT_FIRST = 10;
