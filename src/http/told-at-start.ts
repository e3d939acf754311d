import { isDevelopment, type Settings } from "../options/options.ts";
import type { HttpParts } from "./call.ts";
import { insecureUrlWarning } from "./reached-at.ts";

/** What the operator of a new start should know: where emails go, and which settings are dangerous. */
export function tellAtStart(settings: Settings, log: HttpParts["log"]): void {
  const { baseUrl, rateLimits, smtpUrl, outbox } = settings;
  const shown = isDevelopment(settings)
    ? ` Their links are in this log, and at ${baseUrl.href}/dev/emails.`
    : "";
  if (smtpUrl === null)
    log.info(`SMTP_URL is not set: emails are files in ${outbox}.${shown} Set SMTP_URL to have them sent.`);
  const clear = insecureUrlWarning(baseUrl);
  if (clear !== null) log.warn(clear);
  if (!rateLimits) log.warn("LATCHKEY_RATE_LIMITS is off: anyone may guess as fast as they like.");
}
