import type { Generated } from "kysely";
import type { EndReason, LoginMethodKind } from "../answers.ts";
import type { EmailBudgetTable, OutgoingEmailTable } from "./email-tables.ts";

/** The tables, typed once for both engines. Times are integers (ms since 1970, UTC); hashes are 32 bytes. */
export type Schema = {
  account: AccountTable;
  two_factor: TwoFactorTable;
  used_step: UsedStepTable;
  recovery_code: RecoveryCodeTable;
  session: SessionTable;
  ended_session: EndedSessionTable;
  pending_sign_in: PendingSignInTable;
  emailed_link: EmailedLinkTable;
  attempts: AttemptsTable;
  email_budget: EmailBudgetTable;
  outgoing_email: OutgoingEmailTable;
  activity: ActivityTable;
  known_device: KnownDeviceTable;
  passkey: PasskeyTable;
  oidc_identity: OidcIdentityTable;
  removed_method: RemovedMethodTable;
  ceremony: CeremonyTable;
};

export type AccountTable = {
  id: string;
  /** As typed; emails are sent to it. */
  email: string;
  /** With ASCII letters folded; unique. */
  email_key: string;
  email_verified_at: number | null;
  /** A PHC string, or null if the account has no password; a hash from another system has a prefix. */
  password_hash: string | null;
  password_set_at: number | null;
  password_used_at: number | null;
  /**
   * Where the password comes from, like `Origin`, if it was added to an account without one. If it was
   * reset, only the time is set; otherwise all are null.
   */
  password_added_at: number | null;
  password_added_by: string | null;
  password_added_from: Uint8Array | null;
  password_added_with: string | null;
  /** When an email change was reversed; since then the password can't be used until it is reset. */
  password_blocked_at: number | null;
  /** Incremented when password, email or second factor changes, to refuse sign-ins that began before. */
  credential_version: number;
  suspended_at: number | null;
  /**
   * Since when the account is known to be its owner's, in ms: 0 if it always was, null if nobody has
   * proved that they own its address. Login methods added before then may be a stranger's.
   */
  owner_since: number | null;
  /** The browser in which the account was created. */
  created_label: Generated<string>;
  created_at: number;
};

export type TwoFactorTable = {
  account_id: string;
  /** AES-256-GCM of the TOTP secret, bound to the account's id. */
  secret: Uint8Array;
  /** Null until the first code confirms it. */
  confirmed_at: number | null;
  created_at: number;
  /** When the owner accepted a second factor that was set up before the address was confirmed. */
  accepted_at: Generated<number | null>;
};

/** A TOTP step that was accepted; the primary key makes sure that it is accepted only once. */
export type UsedStepTable = { account_id: string; step: number };

/** A salt of 16 bytes and an argon2id hash of 32; older rows hold a SHA-256 hash alone. */
export type RecoveryCodeTable = { account_id: string; code_hash: Uint8Array };

export type SessionTable = {
  token_hash: Uint8Array;
  /** Public: used in lists and routes. */
  id: string;
  account_id: string;
  browser: string | null;
  os: string | null;
  label: string;
  created_at: number;
  expires_at: number;
  last_used_at: number;
  signed_in_with: LoginMethodKind;
  /** The login method that opened it: `password`, or the id of a passkey or an OIDC identity. */
  method_id: string;
  proved_at: number;
  /** When both factors had last been proved in this session: the earlier of the two times. */
  both_proved_at: number | null;
  /** Unique per account: a new sign-in replaces the session with its key; null if it replaces none. */
  replacement_key: string | null;
  /** Hash of the opening browser's device cookie; null if the session came from another system. */
  device_hash: Uint8Array | null;
} & DeviceBinding;

/** What binds a session to a device (docs/device-binding.md); all null if the session isn't bound. */
type DeviceBinding = {
  /** JSON: the public key that its browser registered, with its algorithm. */
  binding_key: string | null;
  /** When its browser first showed the bound cookie; since then the session needs that cookie. */
  bound_at: number | null;
  /** The newest bound cookie, and until when it is valid. */
  bound_hash: Uint8Array | null;
  bound_until: number | null;
  /** The bound cookie before that, which requests in flight may still carry. */
  former_bound_hash: Uint8Array | null;
  former_bound_until: number | null;
  /** The challenge that the browser must sign next; used once. */
  challenge: string | null;
  challenge_until: number | null;
  /** The challenge before that, if it expired unused. */
  former_challenge: string | null;
  former_challenge_until: number | null;
  /** When the owner was last told that a copy of the cookie was used. */
  copy_told_at: number | null;
};

export type EndedSessionTable = {
  token_hash: Uint8Array;
  session_id: string;
  account_id: string;
  reason: EndReason;
  by: string | null;
  at: number;
  /** The session's own expiry plus 7 days; then the row is pruned. */
  until: number;
};

export type PendingSignInTable = {
  token_hash: Uint8Array;
  account_id: string;
  credential_version: number;
  signed_in_with: LoginMethodKind;
  method_id: string;
  wrong_codes: number;
  expires_at: number;
};

export type LinkKind =
  | "verify_address"
  | "confirm_email"
  | "email_reversal"
  | "reset_password"
  | "not_me"
  | "sign_up";

export type EmailedLinkTable = {
  token_hash: Uint8Array;
  kind: LinkKind;
  /** Null for a sign-up that has no account yet. */
  account_id: string | null;
  /** The address that the link confirms or restores, or else the one that the email went to. */
  email: string;
  email_key: string;
  /** The session that asked (email change), or that the link ends (not-me). */
  session_id: string | null;
  /** The browser that a not-me link is about. */
  device_hash: Uint8Array | null;
  /** Ties the links of one email change together. */
  change_id: string | null;
  /** When the email change that a reversal link belongs to was confirmed. */
  confirmed_at: number | null;
  /** The device that asked for an email change. */
  label: Generated<string | null>;
  created_at: number;
  expires_at: number;
};

export type AttemptsTable = { key: string; count: number; window_ends_at: number };

export type ActivityTable = {
  /** Sorts by time. */
  id: string;
  account_id: string;
  kind: string;
  at: number;
  label: string;
  /** JSON. */
  detail: string;
};

export type KnownDeviceTable = { account_id: string; device_hash: Uint8Array; last_seen_at: number };

/** Where a login method comes from; all null for the first one of a sign-up. */
export type Origin = {
  /** The session that added it. */
  added_by: string | null;
  /** The browser of that session, by its device cookie. */
  added_from: Uint8Array | null;
  /** The login method that opened that session. */
  added_with: string | null;
};

export type PasskeyTable = {
  /** Public: used in lists and routes. */
  id: string;
  account_id: string;
  /** As the authenticator names it, in base64url. */
  credential_id: string;
  public_key: Uint8Array;
  /** The signature counter; if it goes backwards, the authenticator has been cloned. */
  counter: number;
  /** JSON: how the browser reaches the authenticator. */
  transports: string;
  name: string;
  created_at: number;
  last_used_at: number | null;
} & Origin;

export type OidcIdentityTable = {
  id: string;
  account_id: string;
  /** The provider's name in the settings. */
  provider: string;
  /** Identifies the person at the provider together with the subject; the email never does. */
  issuer: string;
  subject: string;
  created_at: number;
  last_used_at: number | null;
} & Origin;

/** The origin of a login method that the account no longer has. */
export type RemovedMethodTable = {
  account_id: string;
  id: string;
  created_at: number;
  removed_at: number;
} & Origin;

export type CeremonyKind = "add_passkey" | "sign_up_passkey" | "use_passkey" | "oidc";

/** A passkey challenge, or a sign-in under way at a provider: bound to one browser, used once. */
export type CeremonyTable = {
  /** Hash of the challenge, or of the OAuth state. */
  key_hash: Uint8Array;
  kind: CeremonyKind;
  browser_hash: Uint8Array;
  account_id: string | null;
  /** JSON. */
  data: string;
  expires_at: number;
};
