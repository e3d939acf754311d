/** How many emails an address got in its hour, and how many more there were. */
export type EmailBudgetTable = {
  email_key: string;
  /** As typed: where the email that says so goes. */
  email: string;
  sent: number;
  held_back: number;
  window_ends_at: number;
};

/** An email that isn't sent yet, written with what caused it. */
export type OutgoingEmailTable = {
  /** Sorts by time. */
  id: string;
  /** Who it goes to and what it says: it may hold a link that opens an account. */
  sealed: Uint8Array;
  created_at: number;
  tries: number;
  /** Nobody sends it before then; the node that is sending it keeps moving this on. */
  next_try_at: number;
  expires_at: number;
  /** Why the last try failed: codes only. */
  failure: string | null;
};
