import type { Logger } from "pino";
import type { Mailer } from "../mail/mailer.ts";
import type { SessionParts } from "../sessions/parts.ts";
import type { ClientInfo } from "../sessions/start.ts";
import type { Attempts } from "./limits/attempts.ts";
import type { PasswordHashes } from "./passwords/password-hash.ts";
import type { PasswordStrength } from "./passwords/password-strength.ts";
import type { Seal } from "./seal.ts";

/** What the account functions need; assembled in `latchkey.ts`. */
export type AccountParts = SessionParts & {
  readonly attempts: Attempts;
  readonly log: Logger;
  readonly mailer: Mailer;
  readonly passwords: PasswordHashes;
  readonly seal: Seal;
  readonly strength: PasswordStrength;
  /** Runs work that no response waits for. When the server stops, it waits for it. */
  readonly inBackground: (work: () => Promise<void>) => void;
  /**
   * Like `inBackground`, but starts once the response has been sent, so that the response time reveals
   * nothing: the embedded database works in this thread and would delay a response that isn't sent yet.
   */
  readonly afterAnswer: (work: () => Promise<void>) => void;
  /** Resolves when all background work that has begun is done. */
  readonly settled: () => Promise<void>;
};

/** A request from somebody who needn't be signed in, with what is needed to handle it. */
export type Visit = { readonly parts: AccountParts; readonly clientInfo: ClientInfo; readonly now: number };
