import type { RefusalFacts } from "./answers.ts";

/**
 * The complete list of refusals, with the title and the HTTP status of each.
 * A refusal is an expected outcome and is returned as a value; only a broken system throws.
 */
export const refusals = {
  unreadable_request: { status: 400, title: "The request's address or Host can't be read" },
  invalid_json: { status: 400, title: "The body is not valid JSON" },
  signed_out: { status: 401, title: "Not signed in" },
  device_proof_needed: { status: 401, title: "The browser has to prove which device it is on" },
  two_factor_needed: { status: 401, title: "This site asks for two-factor authentication" },
  device_proof_stale: { status: 403, title: "Sign the new challenge" },
  device_proof_wrong: { status: 422, title: "The proof of the device can't be used" },
  wrong_credentials: { status: 401, title: "Wrong email or password" },
  wrong_passkey: { status: 401, title: "That passkey was not accepted" },
  wrong_code: { status: 422, title: "That code is not right" },
  sign_in_expired: { status: 401, title: "This sign-in has expired" },
  wrong_password: { status: 403, title: "The current password is not right" },
  proof_needed: { status: 403, title: "Confirm that it is you" },
  account_suspended: { status: 403, title: "This account is suspended" },
  provider_failed: { status: 502, title: "The provider's answer could not be used" },
  provider_other_person: { status: 403, title: "This is another account at the provider" },
  provider_cancelled: { status: 403, title: "The sign-in was cancelled at the provider" },
  provider_no_email: { status: 422, title: "The provider shared no verified email address" },
  provider_account_exists: { status: 409, title: "This email address already has an account" },
  sign_up_closed: { status: 403, title: "Sign-up is closed" },
  cross_site: { status: 403, title: "The request came from another site" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "This method is not allowed here" },
  other_account: { status: 403, title: "This link belongs to another account" },
  current_session: { status: 409, title: "This is the session in use" },
  email_taken: { status: 409, title: "This email address already has an account" },
  already_on: { status: 409, title: "Two-factor authentication is already on" },
  not_on: { status: 409, title: "Two-factor authentication is not on" },
  already_verified: { status: 409, title: "The email address is already verified" },
  method_taken: { status: 409, title: "This login method already belongs to an account" },
  too_many_passkeys: { status: 409, title: "This account has as many passkeys as it can hold" },
  last_login_method: { status: 409, title: "The last login method can't be disconnected" },
  link_expired: { status: 410, title: "This link has expired or was already used" },
  too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "Send application/json" },
  invalid_input: { status: 422, title: "The input is not valid" },
  invalid_email: { status: 422, title: "Enter a valid email address" },
  weak_password: { status: 422, title: "This password is too easy to guess" },
  too_many_attempts: { status: 429, title: "Too many attempts" },
  internal_error: { status: 500, title: "Something went wrong" },
  unavailable: { status: 503, title: "Temporarily unavailable" },
} as const satisfies Record<string, { status: number; title: string }>;

export type RefusalCode = keyof typeof refusals;

/**
 * `status` overrides the listed one: a wrong second factor at sign-in is 401, a passkey that can't be added
 * 422.
 */
type Facts = RefusalFacts & { status?: 401 | 422 };

export type Refusal = {
  ok: false;
  code: RefusalCode;
  detail: string;
  facts: Facts;
  /** The account whose sign-in was refused; only for the operator's log, never in a response. */
  accountId?: string;
};

/** Makes a refusal; `detail` is one sentence for the person, by default the title. */
export function refuse(code: RefusalCode, detail?: string, facts: Facts = {}): Refusal {
  return { ok: false, code, detail: detail ?? `${refusals[code].title}.`, facts };
}

/** Adds the account whose sign-in was refused, if there is such an account. */
export function ofAccount(refusal: Refusal, account: { id: string } | undefined): Refusal {
  return account === undefined ? refusal : { ...refusal, accountId: account.id };
}

/** The refusal if a request's session has ended while the request was handled. */
export function sessionHasEnded(): Refusal {
  return refuse("signed_out", "This session has ended.", { reason: "none" });
}

export type Outcome<T = object> = ({ ok: true } & T) | Refusal;

/** The server is overloaded: the answer is 503, and the client may try again. */
export class Busy extends Error {
  override name = "Busy";
}
