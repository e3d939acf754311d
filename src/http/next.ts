import type { SignedOut } from "../answers.ts";
import type { Settings } from "../options/options.ts";
import { redirect } from "./answers.ts";
import type { RequestHead } from "./request/request-head.ts";

/** How long a page's address may be, encoded, in characters: some proxies take 4,096 of an answer's head. */
const LONGEST = 3_000;

/**
 * Where a sign-in may lead: to BASE_URL's own origin, or to a declared one. Judged by the URL parser that
 * browsers use, never by how the text begins. Null for everywhere else, and for an address that is too long.
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

/** The login page, or where a second factor is set up if that is all that is missing; `next` is where to go on. */
export function loginUrl(
  next: string | null,
  { baseUrl }: Pick<Settings, "baseUrl">,
  reason: SignedOut["reason"] = "none",
): string {
  const page = reason === "two_factor_needed" ? "/settings/security" : "/login";
  return baseUrl.href + page + (next === null ? "" : `?next=${encodeURIComponent(next)}`);
}

/** Redirects to a page from a request of this method; 303 where it mustn't be sent again. */
export function redirectFrom(method: string, page: string): Response {
  return redirect(page, [], /^(GET|HEAD)$/i.test(method) ? 302 : 303);
}

/** Whether a person's browser goes to a page, rather than a script asking for data. */
export function navigates({ headers }: Pick<RequestHead, "headers">): boolean {
  return headers.get("sec-fetch-mode") === "navigate" || (headers.get("accept") ?? "").includes("text/html");
}
