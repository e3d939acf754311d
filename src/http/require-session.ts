import type { Authentication, SignedIn } from "../answers.ts";
import { type Soon, soon } from "../sessions/soon.ts";
import { problem, whoAnswer } from "./answers.ts";
import { broken } from "./broken.ts";
import type { HttpParts } from "./call.ts";
import { identify, withoutStaleCookie } from "./identify.ts";
import { allowedNext, navigates, toWayIn } from "./next.ts";
import { headersOf, type NodeRequestHead, type RequestHead } from "./request/request-head.ts";
import { notLetIn, whyNotLetIn } from "./two-factor-needed.ts";

/** Who a request of the app around Latchkey comes from. @throws where the database doesn't answer. */
export function authenticateRequest(
  parts: HttpParts,
  request: RequestHead | NodeRequestHead,
): Soon<Authentication> {
  return soon(identify(parts, headersOf(request), parts.settings.now()), (who) =>
    "session" in who ? (whyNotLetIn(parts.settings, who.session) ?? whoAnswer(who.session)) : who,
  );
}

/**
 * Lets a live session through to a page or an API of the app around Latchkey. Who has none gets the
 * answer that fits: a browser that goes to a page is sent to the login page, or to where a second factor is
 * set up, and comes back afterwards, anything else gets 401 with the reason. A database that is down is 503,
 * never "signed out".
 */
export function requireSession(parts: HttpParts, request: RequestHead): Soon<SignedIn | Response> {
  try {
    const answer = soon(authenticateRequest(parts, request), (who) => letThrough(parts, request, who));
    return answer instanceof Promise ? answer.catch((error) => broken(parts, error, request)) : answer;
  } catch (error) {
    return broken(parts, error, request);
  }
}

function letThrough(parts: HttpParts, request: RequestHead, who: Authentication): SignedIn | Response {
  if (who.account) return who;
  const answer = navigates(request)
    ? toWayIn(who, pageOf(parts, request), request.method, parts.settings)
    : problem(notLetIn(who));
  return withoutStaleCookie(parts, request.headers, who, answer);
}

/** The page that was asked for, to come back to. */
function pageOf({ settings }: HttpParts, { method, url }: RequestHead): string | null {
  if (method !== "GET" && method !== "HEAD") return null;
  const { pathname, search } = new URL(url, settings.baseUrl.origin);
  return allowedNext(settings.baseUrl.origin + pathname + search, settings);
}
