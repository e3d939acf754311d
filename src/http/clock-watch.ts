import type { HttpParts } from "./call.ts";

/** A node whose clock is this far from the database's is told of, in ms. */
export const CLOCK_WARNS = 2_000;
/** A node whose clock is this far from the database's would judge expiry wrongly, in ms. */
export const CLOCK_NOT_READY = 60_000;

/**
 * Asks how far the database's clock is ahead of this node's, in ms, and tells the operator once when that
 * begins to matter and once when it is over.
 */
export function watchClock({ database, settings, log }: Pick<HttpParts, "database" | "settings" | "log">) {
  let isOff = false;
  return async (): Promise<number> => {
    const aheadMs = Math.round(await database.clockAhead(settings.now));
    const wasOff = isOff;
    isOff = Math.abs(aheadMs) >= CLOCK_WARNS;
    if (isOff && !wasOff) log.warn({ aheadMs }, "This node's clock differs from the database's.");
    if (wasOff && !isOff) log.info({ aheadMs }, "This node's clock agrees with the database's again.");
    return aheadMs;
  };
}
