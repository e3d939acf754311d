import type { Authentication, SignedIn } from "../answers.ts";
import { problem, whoAnswer } from "./answers.ts";
import { broken } from "./broken.ts";
import type { HttpParts } from "./call.ts";
import { identify, notSignedIn } from "./identify.ts";
import { allowedNext, navigates, toLogin } from "./next.ts";
import { headersOf, type NodeRequestHead, type RequestHead } from "./request/request-head.ts";

/** Who a request of the app around Latchkey comes from. @throws where the database doesn't answer. */
export async function authenticateRequest(
  parts: HttpParts,
  request: RequestHead | NodeRequestHead,
): Promise<Authentication> {
  const who = await identify(parts, headersOf(request), parts.settings.now());
  return "session" in who ? whoAnswer(who.session) : who;
}

/**
 * Lets a live session through to a page or an API of the app around Latchkey. Who has none gets the
 * answer that fits: a browser that goes to a page is sent to the login page and comes back afterwards,
 * anything else gets 401 with the reason. A database that is down is 503, never "signed out".
 */
export async function requireSession(parts: HttpParts, request: RequestHead): Promise<SignedIn | Response> {
  try {
    const who = await authenticateRequest(parts, request);
    if (who.account) return who;
    return navigates(request)
      ? toLogin(pageOf(parts, request), request.method, parts.settings)
      : problem(notSignedIn(who));
  } catch (error) {
    return broken(parts, error, request);
  }
}

/** The page that was asked for, to come back to. */
function pageOf({ settings }: HttpParts, { method, url }: RequestHead): string | null {
  if (method !== "GET" && method !== "HEAD") return null;
  const { pathname, search } = new URL(url, settings.baseUrl.origin);
  return allowedNext(settings.baseUrl.origin + pathname + search, settings);
}
