import type { SignedOut } from "../answers.ts";
import type { FoundSession } from "../database/database.ts";
import type { Settings } from "../options/options.ts";
import { type Refusal, refuse } from "../refusals.ts";
import { notSignedIn } from "./identify.ts";

const TWO_FACTOR_NEEDED = { reason: "two_factor_needed" } as const satisfies SignedOut;

/**
 * Why a live session is let into no app, with LATCHKEY_REQUIRE_TWO_FACTOR; null where it is. It opens Latchkey's own
 * pages all the same: a second factor is set up there, and devices are logged out.
 */
export function whyNotLetIn(
  { requireTwoFactor }: Settings,
  { signedInWith, bothProvedAt, twoFactorAt }: FoundSession,
): SignedOut | null {
  if (!requireTwoFactor) return null;
  const isPassed = bothProvedAt !== null && (signedInWith !== "password" || twoFactorAt !== null);
  return isPassed ? null : TWO_FACTOR_NEEDED;
}

/** The refusal of an app's request. */
export function notLetIn(why: SignedOut): Refusal {
  return why.reason === "two_factor_needed"
    ? refuse("two_factor_needed", "Set up two-factor authentication, and log in with it.", why)
    : notSignedIn(why);
}
