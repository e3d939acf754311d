/** How many emails an address was sent within an hour, and how many more were held back. */
export type EmailBudgetTable = {
  email_key: string;
  /** As typed; the email about those held back goes here. */
  email: string;
  sent: number;
  held_back: number;
  window_ends_at: number;
};

/** An email still to be sent, written in the same transaction as the change that caused it. */
export type OutgoingEmailTable = {
  /** Sorts by time. */
  id: string;
  /** The recipient and the text, encrypted: it may contain a link that opens an account. */
  sealed: Uint8Array;
  created_at: number;
  tries: number;
  /** No node sends it before then; the node that is sending it keeps moving this forward. */
  next_try_at: number;
  expires_at: number;
  /** Why the last try failed, as codes only. */
  failure: string | null;
};
