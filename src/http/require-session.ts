import type { SignedIn, SignedOut } from "../answers.ts";
import { refuse } from "../refusals.ts";
import { authenticate } from "../sessions/authenticate.ts";
import { problem, signedOutFacts, whoAnswer } from "./answers.ts";
import { broken } from "./broken.ts";
import type { HttpParts } from "./call.ts";
import { allowedNext, loginUrl, navigates } from "./next.ts";
import { headersOf, type NodeRequestHead, type RequestHead } from "./request-head.ts";
import { touch } from "./signed-in.ts";

/** Reads who a request comes from, and counts it as use. @throws where the database doesn't answer. */
export async function whoIs(
  parts: HttpParts,
  request: RequestHead | NodeRequestHead,
): Promise<SignedIn | SignedOut> {
  const now = parts.settings.now();
  const headers = headersOf(request);
  const answer = await authenticate(parts, parts.cookies.tokens(headers.get("cookie")), now);
  if (!("session" in answer)) return signedOutFacts(answer);
  const { session } = answer;
  await touch({ parts, request: { headers }, now }, session);
  return whoAnswer(session);
}

/**
 * Lets a live session through to a page or an API of the app around Latchkey. Who has none gets the
 * answer that fits: a browser that goes to a page is sent to the login page and comes back afterwards,
 * anything else gets 401 with the reason. A database that is down is 503, never "signed out".
 */
export async function requireSession(parts: HttpParts, request: RequestHead): Promise<SignedIn | Response> {
  try {
    const who = await whoIs(parts, request);
    return "account" in who ? who : turnAway(parts, request, who);
  } catch (error) {
    return broken(parts, error, request);
  }
}

function turnAway({ settings }: HttpParts, request: RequestHead, facts: SignedOut): Response {
  if (!navigates(request)) return problem(refuse("signed_out", "You are not signed in.", facts));
  const { pathname, search } = new URL(request.url, settings.baseUrl.origin);
  const isGet = request.method === "GET" || request.method === "HEAD";
  const page = isGet ? allowedNext(settings.baseUrl.origin + pathname + search, settings) : null;
  const headers = { "Cache-Control": "no-store", Location: loginUrl(page, settings) };
  return new Response(null, { status: isGet ? 302 : 303, headers });
}
