/** What the API answers with. Times are ISO 8601 in UTC, ids are opaque. */
export type Account = {
  id: string;
  email: string;
  emailVerified: boolean;
  twoFactor: boolean;
  createdAt: string;
};

export type Session = {
  id: string;
  label: string;
  browser: string | null;
  os: string | null;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  current: boolean;
  signedInWith: "password" | "passkey" | "oidc";
};

export type SignedIn = { account: Account; session: Session };

/** The password was right; a second factor is still asked for. */
export type SecondFactorAsked = { twoFactor: { methods: ("totp" | "recovery_code")[]; expiresAt: string } };

export type LoginMethod = {
  id: string;
  kind: "password" | "passkey" | "oidc";
  name: string;
  createdAt: string;
  lastUsedAt: string | null;
};

export type LoginMethods = {
  methods: LoginMethod[];
  /** The ids of those that can't be disconnected, since no other one works by itself. */
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
  /** The address that is confirmed: of a change, the new one. */
  email: string;
  /** When the account was made, or the change asked for; `label` is the browser that did it. */
  createdAt: string;
  label: string;
  twoFactor: boolean;
  methods: { kind: "passkey" | "oidc"; name: string }[];
  /** Whether this browser is one of the account's. */
  known: boolean;
};

/** The second factor of an account that has one: a code of the app, or one of the recovery codes. */
export type SecondFactor = { code: string } | { recoveryCode: string };

/** Why a session ended. */
export type EndReason =
  | "signed_out"
  | "signed_out_remotely"
  | "password_changed"
  | "email_changed"
  | "password_reset"
  | "replaced"
  | "expired"
  | "idle"
  | "method_removed"
  | "account_closed"
  | "reported";

export type Ending = {
  reason: EndReason | "none";
  /** The label of the device that ended it. */
  by?: string;
  at?: string;
};
