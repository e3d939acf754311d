import type { Logger } from "pino";
import type { Mailer } from "../mail/mailer.ts";
import type { SessionParts } from "../sessions/parts.ts";
import type { ClientInfo } from "../sessions/start.ts";
import type { Attempts } from "./limits/attempts.ts";
import type { PasswordHashes } from "./passwords/password-hash.ts";
import type { PasswordStrength } from "./passwords/password-strength.ts";
import type { Seal } from "./seal.ts";

/** What the rules of accounts work with; joined in one place, `latchkey.ts`. */
export type AccountParts = SessionParts & {
  readonly attempts: Attempts;
  readonly log: Logger;
  readonly mailer: Mailer;
  readonly passwords: PasswordHashes;
  readonly seal: Seal;
  readonly strength: PasswordStrength;
  /** Work that nobody's answer waits for; awaited at the stop. */
  readonly inBackground: (work: () => Promise<void>) => void;
  /**
   * The same, begun when the answer is on its way, so that the answer's time tells nothing of it: the embedded
   * database does its work in this thread, and an answer that isn't sent yet would wait for it.
   */
  readonly afterAnswer: (work: () => Promise<void>) => void;
  /** Resolves when all such work that has begun is done. */
  readonly settled: () => Promise<void>;
};

/** A request from someone who needn't be signed in: what Latchkey works with, who is at the other end, and when they asked. */
export type Visit = { readonly parts: AccountParts; readonly clientInfo: ClientInfo; readonly now: number };
