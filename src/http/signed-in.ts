import type { FoundSession } from "../database/database.ts";
import { refuse } from "../refusals.ts";
import type { Authenticated, SignedOut } from "../sessions/authenticate.ts";
import { authenticate } from "../sessions/authenticate.ts";
import { problem, signedOutFacts } from "./answers.ts";
import type { Call } from "./call.ts";
import { tokensOf } from "./call.ts";
import { handOver } from "./hand-over.ts";
import type { RequestHead } from "./request-head.ts";

/** A request whose session lives. */
export type SignedInCall = Call & { readonly acting: FoundSession };

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
    return handOver(call, answer, await handle({ ...call, acting: answer.session }));
  };
}

/** Who a request comes from, which is counted as use; else why this browser's session is over. */
export async function currentSession(call: Call): Promise<Authenticated | SignedOut> {
  const answer = await authenticate(call.parts, tokensOf(call), call.now);
  if ("session" in answer) await touch(call, answer.session);
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
