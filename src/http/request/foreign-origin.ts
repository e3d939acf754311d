import type { Settings } from "../../options/options.ts";
import { isProxy } from "./network.ts";
import type { RequestHead } from "./request-head.ts";

type Known = Pick<Settings, "baseUrl" | "trustedProxies">;

/** Warns the operator, once, of a request that came to an origin other than BASE_URL's. */
export function watchOrigins(settings: Settings, log: { warn(words: string): void }) {
  let warned = false;
  return (request: RequestHead, remote: string | undefined): void => {
    const seen = warned ? null : foreignOrigin(request, remote, settings);
    if (seen === null) return;
    log.warn(warningOf(seen, settings));
    warned = true;
  };
}

/**
 * The origin at which a browser reached Latchkey, if it differs from BASE_URL's: as reported by a trusted
 * proxy, or by the browser itself if its page and the request have the same host. Null if they are equal or
 * it isn't known. It is used only for a warning.
 */
function foreignOrigin({ headers }: RequestHead, remote: string | undefined, settings: Known): string | null {
  const { origin, host, secure } = settings.baseUrl;
  if (isProxy(remote, settings.trustedProxies)) {
    const forwardedHost = firstForwarded(headers.get("x-forwarded-host")) ?? host;
    const scheme = firstForwarded(headers.get("x-forwarded-proto")) ?? (secure ? "https" : "http");
    const told = originOf(`${scheme}://${forwardedHost}`);
    if (told !== null && told !== origin) return told;
  }
  const page = originOf(headers.get("origin") ?? "");
  if (page === null || page === origin) return null;
  return new URL(page).host === headers.get("host")?.toLowerCase() ? page : null;
}

/** The warning for the operator: the two origins, the consequences, and what to change. */
function warningOf(seen: string, { baseUrl }: Known): string {
  const facts = `BASE_URL is ${baseUrl.href}, but a browser reached Latchkey at ${seen}. Cookies, redirects and emailed links are made for BASE_URL, so signing in fails there or leads away.`;
  if (baseUrl.secure && seen === baseUrl.origin.replace("https:", "http:"))
    return `${facts} Redirect http to https in front of Latchkey; where it was https already, let the proxy send X-Forwarded-Proto: https.`;
  return `${facts} If people are to use ${seen}, set BASE_URL=${seen}${baseUrl.path}; if not, redirect them to ${baseUrl.origin}, and let the proxy send the X-Forwarded-Host and X-Forwarded-Proto that it was asked with.`;
}

/** The first value of a forwarded header, the one closest to the browser; further proxies may add more. */
export function firstForwarded(list: string | null): string | undefined {
  return list?.split(",")[0]?.trim().toLowerCase() || undefined;
}

function originOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { origin, protocol } = new URL(text);
  return /^https?:$/.test(protocol) ? origin : null;
}
