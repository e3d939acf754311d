import type { HttpParts } from "./call.ts";

/** What can be known of a wrong BASE_URL at the start: one line each, with what to change. */
export function warnAtStart({ settings, log }: Pick<HttpParts, "settings" | "log">): void {
  const { baseUrl, host, rateLimits } = settings;
  if (!rateLimits) log.warn("LATCHKEY_RATE_LIMITS is off: anyone may guess as fast as they like.");
  if (!baseUrl.secure && !isLocal(baseUrl.host))
    log.warn(
      `BASE_URL ${baseUrl.href} is not https: cookies travel in the clear, and passkeys don't work. Set it to the https address that people use.`,
    );
  if (isLocal(baseUrl.host) && !isLocal(host))
    log.warn(
      `BASE_URL is ${baseUrl.href} while HOST ${host} takes connections from elsewhere: links in mails lead to this machine alone. Set BASE_URL to the address that people use.`,
    );
}

/**
 * Looks at requests that change something: where a browser is at an address of its own that isn't
 * BASE_URL's, the setting and the proxy disagree, and it says so once. A Secure cookie of an https
 * BASE_URL is not kept by a browser that is at http.
 */
export function watchAddress({ settings, log }: Pick<HttpParts, "settings" | "log">) {
  const { baseUrl } = settings;
  let warned = false;
  return (request: Request): void => {
    const origin = request.headers.get("origin");
    if (warned || origin === null || origin === baseUrl.origin || !URL.canParse(origin)) return;
    const hosts = [request.headers.get("host"), request.headers.get("x-forwarded-host")];
    if (!hosts.includes(new URL(origin).host)) return;
    warned = true;
    log.warn(
      `A browser uses Latchkey at ${origin}, and BASE_URL says ${baseUrl.origin}: sign-ins there are refused or forgotten, and links in mails lead elsewhere. Set BASE_URL to the address that people use, or send that address on to it.`,
    );
  };
}

function isLocal(host: string): boolean {
  return /^(localhost|[^/]+\.localhost|127\.|\[?::1\]?)(:|$|\d)/.test(host);
}
