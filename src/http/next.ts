import type { SignedOut } from "../answers.ts";
import type { Settings } from "../options/options.ts";
import { redirect } from "./answers.ts";
import type { RequestHead } from "./request/request-head.ts";

/**
 * How long a page's encoded URL may be, in characters: some proxies accept only 4,096 for all response
 * headers.
 */
const LONGEST = 3_000;

/**
 * The URL if a sign-in may lead there: to BASE_URL's own origin, or to a declared one. Otherwise, or if it is
 * too long, null. Decided with the same URL parser as browsers, never by a prefix of the text.
 */
export function allowedNext(
  next: string | null,
  settings: Pick<Settings, "baseUrl" | "returnOrigins">,
): string | null {
  if (next === null || !URL.canParse(next, `${settings.baseUrl.href}/`)) return null;
  const url = new URL(next, `${settings.baseUrl.href}/`);
  // The origin of blob:https://… is the one inside it.
  const isKnown =
    /^https?:$/.test(url.protocol) &&
    (url.origin === settings.baseUrl.origin || settings.returnOrigins.includes(url.origin));
  const isShort = encodeURIComponent(url.href).length <= LONGEST;
  return isKnown && isShort && !url.username && !url.password ? url.href : null;
}

/**
 * The login page, or the page to set up a second factor if only that is missing; `next` is where to go after
 * it.
 */
export function loginUrl(
  next: string | null,
  { baseUrl }: Pick<Settings, "baseUrl">,
  reason: SignedOut["reason"] = "none",
): string {
  const page = reason === "two_factor_needed" ? "/settings/security" : "/login";
  return baseUrl.href + page + (next === null ? "" : `?next=${encodeURIComponent(next)}`);
}

/** Redirects a request with this method to a page; 303 if its method and body mustn't be repeated there. */
export function redirectFrom(method: string, page: string): Response {
  return redirect(page, [], /^(GET|HEAD)$/i.test(method) ? 302 : 303);
}

/** Whether a browser is navigating to a page, rather than a script fetching data. */
export function navigates({ headers }: Pick<RequestHead, "headers">): boolean {
  return headers.get("sec-fetch-mode") === "navigate" || (headers.get("accept") ?? "").includes("text/html");
}
