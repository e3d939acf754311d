import type { CurrentSession } from "../changes/proof.ts";
import type { FoundSession } from "../database/database.ts";
import { refuse } from "../refusals.ts";
import type { Authenticated, SignedOut } from "../sessions/authenticate.ts";
import { authenticate } from "../sessions/authenticate.ts";
import { hashToken } from "../sessions/token.ts";
import { problem, signedOutFacts } from "./answers.ts";
import { broken } from "./broken.ts";
import type { Call } from "./call.ts";
import { cookieHeader, tokensOf } from "./call.ts";
import { handOver, isSet } from "./hand-over.ts";
import type { RequestHead } from "./request-head.ts";

/** A request whose session lives. */
export type SignedInCall = Call & { readonly current: CurrentSession };

/** Lets only live sessions through, and counts the request as use. */
export function signedIn(
  handle: (call: SignedInCall) => Promise<Response>,
  counts: "as use" | "not" = "as use",
) {
  return async (call: Call): Promise<Response> => {
    const answer = await (counts === "as use"
      ? currentSession(call)
      : authenticate(call.parts, tokensOf(call), call.now));
    if (!("session" in answer)) {
      return problem(refuse("signed_out", "You are not signed in.", signedOutFacts(answer)));
    }
    const current = actingIn(call, answer.session);
    return handOver(call, answer, await answerOf(handle, { ...call, current }));
  };
}

/** Who a request comes from, which is counted as use; else why this browser's session is over. */
export async function currentSession(call: Call): Promise<Authenticated | SignedOut> {
  const answer = await authenticate(call.parts, tokensOf(call), call.now);
  if ("session" in answer) await touch(call, answer.session);
  return answer;
}

/** A failure after the token was renewed carries the cookie, too: the old one opens nothing any more. */
async function answerOf(
  handle: (call: SignedInCall) => Promise<Response>,
  call: SignedInCall,
): Promise<Response> {
  try {
    return withNewToken(call, call.current, await handle(call));
  } catch (error) {
    if (call.current.newToken === null) throw error;
    return withNewToken(call, call.current, broken(call.parts, error, call.request));
  }
}

/** A session as one request acts with it: a copy, since what was looked up is remembered. */
export function actingIn(call: Call, session: FoundSession): CurrentSession {
  const token = call.parts.cookies.deviceToken(cookieHeader(call));
  return { ...session, deviceHash: token === null ? null : hashToken(token), newToken: null };
}

/** The answer, with the session's cookie where a proof in this request renewed its token. */
export function withNewToken({ parts, now }: Call, current: CurrentSession, answer: Response): Response {
  const { cookies } = parts;
  if (current.newToken === null || isSet(answer, cookies.sessionName)) return answer;
  answer.headers.append("Set-Cookie", cookies.setSession(current.newToken, current.expiresAt, now));
  return answer;
}

/** Every request with the session's cookie is use, but the page's own refreshes. */
export async function touch(
  { parts, request, now }: Pick<Call, "parts" | "now"> & { request: Pick<RequestHead, "headers"> },
  session: FoundSession,
): Promise<void> {
  if (request.headers.get("latchkey-background") === "1") return;
  await parts.lastUsed.touch(session.id, session.lastUsedAt, now);
}
