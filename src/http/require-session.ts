import type { Authentication, SignedIn } from "../answers.ts";
import { type Refusal, refuse } from "../refusals.ts";
import { problem, signedInAnswer } from "./answers.ts";
import type { HttpParts } from "./call.ts";
import { errorResponse } from "./errors.ts";
import { identify, notSignedIn, withoutStaleCookie } from "./identify.ts";
import { allowedNext, loginUrl, navigates, redirectFrom } from "./next.ts";
import { addressOf, headersOf, type NodeRequestHead, type RequestHead } from "./request/request-head.ts";
import { whyNotLetIn } from "./require-two-factor.ts";

/** Says who sent a request to the app around Latchkey. @throws if the database doesn't answer. */
export async function authenticateRequest(
  parts: HttpParts,
  request: RequestHead | NodeRequestHead,
): Promise<Authentication> {
  const who = await identify(parts, headersOf(request), parts.settings.now());
  return "session" in who ? (whyNotLetIn(parts.settings, who.session) ?? signedInAnswer(who.session)) : who;
}

/**
 * Lets a live session through to a page or an API of the app around Latchkey. Without one, a browser
 * navigating to a page is redirected to log in, or to set up a second factor, and comes back afterwards;
 * other requests get 401 with the reason. If the database is down, the answer is 503, never "signed out".
 */
export async function requireSession(parts: HttpParts, request: RequestHead): Promise<SignedIn | Response> {
  try {
    return letThrough(parts, request, await authenticateRequest(parts, request));
  } catch (error) {
    return errorResponse(parts, error, request);
  }
}

function letThrough(parts: HttpParts, request: RequestHead, who: Authentication): SignedIn | Response {
  if (who.account) return who;
  if (navigates(request) && isOwnLoginPage(parts, request)) return problem(loginPageMissing(parts));
  const answer = navigates(request)
    ? redirectFrom(request.method, loginUrl(pageOf(parts, request), parts.settings, who.reason))
    : problem(notSignedIn(who));
  return withoutStaleCookie(parts, request.headers, who, answer);
}

/** Whether a browser asks the app for the login page itself: a redirect there would loop for ever. */
function isOwnLoginPage({ settings: { baseUrl } }: HttpParts, request: RequestHead): boolean {
  const address = addressOf(request, `http://${request.headers.get("host") ?? baseUrl.host}`);
  return address?.host === baseUrl.host && address.pathname === `${baseUrl.path}/login`;
}

function loginPageMissing({ settings: { baseUrl } }: HttpParts): Refusal {
  return refuse(
    "internal_error",
    `Nothing in this app answers ${baseUrl.path}/login, so nobody could log in. Register mount(latchkey) before requireSession, or pass ${baseUrl.path} and everything below it to latchkey.fetch.`,
  );
}

/** The requested page, to return to after logging in. */
function pageOf({ settings }: HttpParts, request: RequestHead): string | null {
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const address = addressOf(request, settings.baseUrl.origin);
  return address && allowedNext(settings.baseUrl.origin + address.pathname + address.search, settings);
}
