import type { Settings } from "../options/options.ts";

export const DAY = 86_400_000;

/** How long the holder of an ended session's token can still be told why (and how long its cookie outlives it). */
export const REASON_KEPT = 7 * DAY;

/** In ms. Other nodes write last uses up to a minute late, so a session may be less idle than it looks. */
export const IDLE_MARGIN = 120_000;

/**
 * Whether a session is over by time: `expired` once its lifetime has passed, however much it was used (S9:
 * `startSession` sets `expiresAt`, and nothing moves it); `idle` if an idle limit is set and it was unused
 * for that long. Every read applies this one rule.
 */
export function overByTime(
  expiresAt: number,
  lastUsedAt: number,
  settings: Pick<Settings, "idleTimeout">,
  now: number,
): "expired" | "idle" | null {
  if (now >= expiresAt) return "expired";
  if (settings.idleTimeout !== null && now >= lastUsedAt + settings.idleTimeout) return "idle";
  return null;
}
