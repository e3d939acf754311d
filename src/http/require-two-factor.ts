import type { SignedOut } from "../answers.ts";
import type { FoundSession } from "../database/database.ts";
import type { Settings } from "../options/options.ts";

/**
 * Why LATCHKEY_REQUIRE_TWO_FACTOR keeps a live session out of apps; null if it doesn't. The session still
 * opens Latchkey's own pages, where people set up a second factor and log out devices.
 */
export function whyNotLetIn(
  { requireTwoFactor }: Settings,
  { signedInWith, bothProvedAt, twoFactorAt }: FoundSession,
): SignedOut | null {
  if (!requireTwoFactor) return null;
  const isPassed = bothProvedAt !== null && (signedInWith !== "password" || twoFactorAt !== null);
  return isPassed ? null : { reason: "two_factor_needed" };
}
