import { refuse } from "../refusals.ts";
import { authenticate } from "../sessions/authenticate.ts";
import type { AccountAnswer, SessionAnswer } from "./answers.ts";
import { accountAnswer, problem, sessionAnswer, signedOutFacts } from "./answers.ts";
import { broken } from "./broken.ts";
import type { HttpParts } from "./call.ts";
import { allowedNext, loginUrl, navigates } from "./next.ts";
import type { RequestHead } from "./request-head.ts";
import { touch } from "./signed-in.ts";

/** Who a request comes from. */
export type Who = { account: AccountAnswer; session: SessionAnswer };

/**
 * Lets a live session through to a page or an API of the app around Latchkey. Who has none gets the
 * answer that fits: a browser that goes to a page is sent to the login page and comes back afterwards,
 * anything else gets 401 with the reason. A database that is down is 503, never "signed out".
 */
export async function requireSession(parts: HttpParts, request: RequestHead): Promise<Who | Response> {
  const now = parts.settings.now();
  const cookies = parts.cookies.tokens(request.headers.get("cookie"));
  try {
    const answer = await authenticate(parts, cookies, now);
    if (!("session" in answer)) return turnAway(parts, request, signedOutFacts(answer));
    const { session } = answer;
    touch({ parts, request, now }, session);
    return { account: accountAnswer(session), session: sessionAnswer(session, session.id) };
  } catch (error) {
    return broken(parts, error, request);
  }
}

function turnAway(
  { settings }: HttpParts,
  request: RequestHead,
  facts: ReturnType<typeof signedOutFacts>,
): Response {
  if (!navigates(request)) return problem(refuse("signed_out", "You are not signed in.", facts));
  const { pathname, search } = new URL(request.url, settings.baseUrl.origin);
  const page =
    request.method === "GET" ? allowedNext(settings.baseUrl.origin + pathname + search, settings) : null;
  const headers = { "Cache-Control": "no-store", Location: loginUrl(page, settings) };
  return new Response(null, { status: /^(GET|HEAD)$/.test(request.method) ? 302 : 303, headers });
}
