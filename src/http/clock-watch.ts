import type { HttpParts } from "./call.ts";

/** The difference from the database's clock at which the operator is warned of a node, in ms. */
export const CLOCK_WARNS = 2_000;
/** The difference from the database's clock at which a node would misjudge expiry, in ms. */
export const CLOCK_NOT_READY = 60_000;

/**
 * Returns how far the database's clock is ahead of this node's, in ms. Tells the operator once when the
 * difference becomes too large, and once when it is over.
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
