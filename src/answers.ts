/**
 * The API's answers, shared by the server and its clients. Has only types and constants, and imports
 * nothing, so that it also runs in a browser. Times are ISO 8601 in UTC; ids are opaque.
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
 * The reasons why a request isn't signed in although no session has ended: there is none, it is bound to a
 * device that wasn't proved, or the app requires a second factor that its owner hasn't set up or given yet.
 */
export const OTHER_REASONS = ["none", "device_proof_needed", "two_factor_needed"] as const;

/** Why nobody is signed in: the reason the session ended, `none` if there never was one. */
export type SignedOut = {
  reason: EndReason | (typeof OTHER_REASONS)[number];
  /** The label of the device that ended it. */
  by?: string;
  at?: string;
};

/** Details that a refusal may have besides its code. */
export type RefusalFacts = Partial<SignedOut> & {
  methods?: string[];
  field?: string;
  /** Whole seconds until another attempt makes sense, from the header Retry-After. */
  retryAfter?: number;
};

/** The label of a device about which nothing is known. */
export const UNKNOWN_DEVICE = "Unknown device";

/** A device's label for use in a sentence: `Unknown device` becomes "an unknown device". */
export function deviceInSentence(label: string): string {
  return label === UNKNOWN_DEVICE ? "an unknown device" : label;
}

export const LOGIN_METHOD_KINDS = ["password", "passkey", "oidc"] as const;

export type LoginMethodKind = (typeof LOGIN_METHOD_KINDS)[number];

/** How long a proof (a sign-in, or a factor given again) stays valid, in ms. */
export const PROOF_HOLDS = 10 * 60_000;

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

/** Who sent a request, or why nobody is signed in: `if (who.account)` or `if (who.reason)` tells which. */
export type Authentication =
  | (SignedIn & { reason?: undefined })
  | (SignedOut & { account?: undefined; session?: undefined });

export const SECOND_FACTORS = ["totp", "recovery_code"] as const;

/** The first factor was correct, and a second factor is still needed. */
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
  /** The ids of methods that can't be disconnected, since the owner couldn't log in without them. */
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

/** The account or change that an emailed link would confirm. */
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
