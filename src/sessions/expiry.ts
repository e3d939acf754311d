import type { Settings } from "../options/options.ts";
import type { SessionParts } from "./parts.ts";

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

/** Why a session is over by time; null if it isn't. */
export type WhyOver = (session: {
  id: string;
  expiresAt: number;
  lastUsedAt: number;
}) => "expired" | "idle" | null;

/** Tells why sessions are over by time at `now`, with the uses that this process hasn't written yet. */
export function overAt({ settings, lastUsed }: Omit<SessionParts, "database">, now: number): WhyOver {
  return ({ id, expiresAt, lastUsedAt }) => overByTime(expiresAt, lastUsed.of(id, lastUsedAt), settings, now);
}

/** Like `overAt` where the settings aren't known: tells only which sessions have expired. */
export function expiredAt(now: number): WhyOver {
  return ({ expiresAt }) => (now >= expiresAt ? "expired" : null);
}
