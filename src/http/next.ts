import type { SignedOut } from "../answers.ts";
import type { Settings } from "../options/options.ts";
import { redirect } from "./answers.ts";
import type { RequestHead } from "./request/request-head.ts";

/**
 * Where a sign-in may lead: the own origin, or one of the declared ones. Judged by the URL parser that
 * browsers use, never by how the text begins. Null for everywhere else.
 */
export function allowedNext(
  next: string | null,
  settings: Pick<Settings, "baseUrl" | "returnOrigins">,
): string | null {
  if (next === null || next.length > 4_096 || !URL.canParse(next, `${settings.baseUrl.href}/`)) return null;
  const url = new URL(next, `${settings.baseUrl.href}/`);
  // The origin of blob:https://… is the one inside it.
  const isKnown =
    /^https?:$/.test(url.protocol) &&
    (url.origin === settings.baseUrl.origin || settings.returnOrigins.includes(url.origin));
  return isKnown && !url.username && !url.password ? url.href : null;
}

/** The login page, with where to go on afterwards. */
export function loginUrl(next: string | null, settings: Pick<Settings, "baseUrl">): string {
  return wayIn({ reason: "none" }, next, settings);
}

/** The page where who isn't let in does something about it, with where to go on afterwards. */
export function wayIn(
  { reason }: SignedOut,
  next: string | null,
  settings: Pick<Settings, "baseUrl">,
): string {
  const page = reason === "two_factor_needed" ? "/settings/security" : "/login";
  const query = next === null ? "" : `?next=${encodeURIComponent(next)}`;
  return settings.baseUrl.href + page + query;
}

/** To that page, from a request of this method; 303 where it mustn't be sent again. */
export function toWayIn(
  why: SignedOut,
  next: string | null,
  method: string,
  settings: Pick<Settings, "baseUrl">,
): Response {
  return redirect(wayIn(why, next, settings), [], /^(GET|HEAD)$/i.test(method) ? 302 : 303);
}

/** Whether a person's browser goes to a page, rather than a script asking for data. */
export function navigates({ headers }: Pick<RequestHead, "headers">): boolean {
  return headers.get("sec-fetch-mode") === "navigate" || (headers.get("accept") ?? "").includes("text/html");
}
