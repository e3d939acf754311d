import type { Logger } from "pino";
import type { EmailBudget } from "../mail/budget.ts";
import type { Mailer } from "../mail/mailer.ts";
import type { SessionParts } from "../sessions/parts.ts";
import type { Attempts } from "./limits/attempts.ts";
import type { PasswordHashes } from "./passwords/password-hash.ts";
import type { PasswordStrength } from "./passwords/password-strength.ts";
import type { Seal } from "./seal.ts";

/** What the rules of accounts work with; joined in one place, `latchkey.ts`. */
export type AccountParts = SessionParts & {
  readonly attempts: Attempts;
  readonly emailBudget: EmailBudget;
  readonly log: Logger;
  readonly mailer: Mailer;
  readonly passwords: PasswordHashes;
  readonly seal: Seal;
  readonly strength: PasswordStrength;
  /** Work that goes on after the answer, so that its time tells nothing; awaited at the stop. */
  readonly inBackground: (work: () => Promise<void>) => void;
  /** Resolves when all such work that has begun is done. */
  readonly settled: () => Promise<void>;
};
