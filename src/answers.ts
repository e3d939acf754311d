/**
 * What the API answers with, for the server and for its clients alike: types, plain lists and words, and no import,
 * so that it runs in a browser too. Times are ISO 8601 in UTC, ids are opaque.
 */

/** Why a session ended. */
export const END_REASONS = [
  "signed_out",
  "signed_out_remotely",
  "password_changed",
  "email_changed",
  "password_reset",
  "replaced",
  "expired",
  "idle",
  "method_removed",
  "account_closed",
  "reported",
  "proof_lost",
] as const;

export type EndReason = (typeof END_REASONS)[number];

/**
 * What is said where no session has ended: there is none, or the one there is is bound to a device that didn't
 * prove itself, or opens no app before its owner has set up and given a second factor.
 */
export const OTHER_REASONS = ["none", "device_proof_needed", "two_factor_needed"] as const;

/** Why nobody is signed in: the reason the session ended, `none` where there never was one. */
export type SignedOut = {
  reason: EndReason | (typeof OTHER_REASONS)[number];
  /** The label of the device that ended it. */
  by?: string;
  at?: string;
};

/** What a refusal may carry beyond its code. */
export type RefusalFacts = Partial<SignedOut> & {
  methods?: string[];
  field?: string;
  /** Whole seconds until another attempt makes sense, from the header Retry-After. */
  retryAfter?: number;
};

/** The label of a device of which nothing is known. */
export const UNKNOWN_DEVICE = "Unknown device";

/** A device's label as it reads inside a sentence: "an unknown device" where it is `Unknown device`. */
export function deviceInSentence(label: string): string {
  return label === UNKNOWN_DEVICE ? "an unknown device" : label;
}

export const LOGIN_METHOD_KINDS = ["password", "passkey", "oidc"] as const;

export type LoginMethodKind = (typeof LOGIN_METHOD_KINDS)[number];

export type Account = {
  id: string;
  email: string;
  emailVerified: boolean;
  twoFactor: boolean;
  createdAt: string;
};

/** A session by its public id, never its token. */
export type Session = {
  id: string;
  label: string;
  browser: string | null;
  os: string | null;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  current: boolean;
  signedInWith: LoginMethodKind;
  /** Present if the session is bound to its device: copied cookies soon stop working. */
  bound?: true | undefined;
};

/** Who is signed in. */
export type SignedIn = { account: Account; session: Session };

/** Who a request comes from, or why it comes from nobody: `if (who.account)` tells them apart, and so does `if (who.reason)`. */
export type Authentication =
  | (SignedIn & { reason?: undefined })
  | (SignedOut & { account?: undefined; session?: undefined });

export const SECOND_FACTORS = ["totp", "recovery_code"] as const;

/** The password was right; a second factor is still asked for. */
export type SecondFactorAsked = {
  twoFactor: { methods: (typeof SECOND_FACTORS)[number][]; expiresAt: string };
};

export type LoginMethod = {
  id: string;
  kind: LoginMethodKind;
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
};

export type LoginMethods = {
  methods: LoginMethod[];
  /** The ids of those that can't be disconnected, since nobody could log in without them. */
  needed: string[];
};

export type ActivityEvent = {
  id: string;
  kind: string;
  at: string;
  /** The device that did it; for `session_ended` the device whose session ended. */
  label: string;
  detail: Record<string, unknown>;
};

/** What an emailed confirmation link would confirm. */
export type Confirmation = {
  kind: "new_account" | "change";
  /** The address that would be confirmed: for a change, the new one. */
  email: string;
  /** When the account was created, or the change requested; `label` is the browser that did it. */
  createdAt: string;
  label: string;
  twoFactor: boolean;
  methods: { kind: "passkey" | "oidc"; name: string }[];
  /** Whether this browser is one of the account's. */
  known: boolean;
};
