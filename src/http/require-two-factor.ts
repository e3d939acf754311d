import type { SignedOut } from "../answers.ts";
import type { FoundSession } from "../database/database.ts";
import type { Settings } from "../options/options.ts";

/**
 * Why LATCHKEY_REQUIRE_TWO_FACTOR lets a live session into no app; null where it does. The session opens Latchkey's
 * own pages all the same: a second factor is set up there, and devices are logged out.
 */
export function whyNotLetIn(
  { requireTwoFactor }: Settings,
  { signedInWith, bothProvedAt, twoFactorAt }: FoundSession,
): SignedOut | null {
  if (!requireTwoFactor) return null;
  const isPassed = bothProvedAt !== null && (signedInWith !== "password" || twoFactorAt !== null);
  return isPassed ? null : { reason: "two_factor_needed" };
}
