import type { Settings } from "../../options/options.ts";
import { isProxy } from "./network.ts";
import type { RequestHead } from "./request-head.ts";

type Known = Pick<Settings, "baseUrl" | "trustedProxies">;

/**
 * The origin at which a browser reached Latchkey, where that isn't the one of BASE_URL: as a trusted proxy
 * tells it, or as the browser itself does when its page and the request went to the same host. Null where
 * they agree, or nothing tells. It chooses the words of a warning, and nothing else.
 */
export function reachedElsewhere(
  { headers }: RequestHead,
  remote: string | undefined,
  settings: Known,
): string | null {
  const { origin, host, secure } = settings.baseUrl;
  if (isProxy(remote, settings.trustedProxies)) {
    const forwardedHost = first(headers.get("x-forwarded-host")) ?? host;
    const scheme = first(headers.get("x-forwarded-proto")) ?? (secure ? "https" : "http");
    const told = originOf(`${scheme}://${forwardedHost}`);
    if (told !== null && told !== origin) return told;
  }
  const page = originOf(headers.get("origin") ?? "");
  if (page === null || page === origin) return null;
  return new URL(page).host === headers.get("host")?.toLowerCase() ? page : null;
}

/** What the operator reads about it: the two addresses, what it does, and what to change. */
export function otherAddress(seen: string, { baseUrl }: Known): string {
  const facts = `BASE_URL is ${baseUrl.href}, but a browser reached Latchkey at ${seen}. Cookies, redirects and emailed links are made for BASE_URL, so signing in fails there or leads away.`;
  if (baseUrl.secure && seen === baseUrl.origin.replace("https:", "http:"))
    return `${facts} Redirect http to https in front of Latchkey; where it was https already, let the proxy send X-Forwarded-Proto: https.`;
  return `${facts} If people are to use ${seen}, set BASE_URL=${seen}${baseUrl.path}; if not, redirect them to ${baseUrl.origin}, and let the proxy send the X-Forwarded-Host and X-Forwarded-Proto that it was asked with.`;
}

/** At a BASE_URL without https, away from one's own machine; null where there is nothing to say. */
export function insecureUrlWarning({ href, secure, isLocal }: Settings["baseUrl"]): string | null {
  if (secure || isLocal) return null;
  return `BASE_URL ${href} is not https: cookies and passwords travel in the clear, and passkeys don't work. Put https in front of Latchkey, and set BASE_URL=${href.replace("http:", "https:")}.`;
}

/** The first value of a forwarded header, which is the browser's own; each proxy on the way may add one. */
export function first(list: string | null): string | undefined {
  return list?.split(",")[0]?.trim().toLowerCase() || undefined;
}

function originOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { origin, protocol } = new URL(text);
  return /^https?:$/.test(protocol) ? origin : null;
}
