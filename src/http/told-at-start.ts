import type { Settings } from "../options/options.ts";
import type { HttpParts } from "./call.ts";
import { insecureUrlWarning } from "./reached-at.ts";

/** Warns of settings that are dangerous. */
export function tellAtStart(settings: Settings, log: HttpParts["log"]): void {
  const { baseUrl, rateLimits } = settings;
  const clear = insecureUrlWarning(baseUrl);
  if (clear !== null) log.warn(clear);
  if (!rateLimits) log.warn("LATCHKEY_RATE_LIMITS is off: anyone may guess as fast as they like.");
}
