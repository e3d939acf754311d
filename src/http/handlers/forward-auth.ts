import { inAscii } from "../../credentials/email-address.ts";
import type { FoundSession } from "../../database/database.ts";
import { refuse } from "../../refusals.ts";
import type { SignedOut } from "../../sessions/authenticate.ts";
import { problem, signedOutFacts } from "../answers.ts";
import type { Call } from "../call.ts";
import { handOver } from "../hand-over.ts";
import { allowedNext, loginUrl, navigates } from "../next.ts";
import { first } from "../reached-at.ts";
import { currentSession } from "../signed-in.ts";

/**
 * The question of a proxy in front of an app: who is this? Takes the cookie alone. What a client can
 * forge (`X-Forwarded-*`) only chooses the status and where to go on after a sign-in. A database that is
 * down is 503 by the one catch, never 2xx.
 */
export async function verify(call: Call): Promise<Response> {
  const answer = await currentSession(call);
  if (!("session" in answer)) return turnAway(call, answer);
  const response = new Response(null, {
    status: 204,
    headers: {
      "Cache-Control": "no-store",
      ...confirmedAddress(answer.session),
      "Remote-Account": answer.session.accountId,
      "Remote-Session": answer.session.id,
    },
  });
  return handOver(call, answer, response);
}

/** Anyone can sign up with anybody's address: until it is confirmed, no app is told that it is theirs. */
function confirmedAddress({ email, emailVerifiedAt }: FoundSession): Record<string, string> {
  return emailVerifiedAt === null ? {} : { "Remote-User": inAscii(email) };
}

function turnAway({ request, parts }: Call, why: SignedOut): Response {
  const login = loginUrl(wantedPage(request, parts.settings), parts.settings);
  const isNginx = new URL(request.url).searchParams.get("mode") === "nginx";
  if (navigates(request) && !isNginx) {
    const method = request.headers.get("x-forwarded-method") ?? "GET";
    const headers = { "Cache-Control": "no-store", Location: login };
    return new Response(null, { status: /^(GET|HEAD)$/i.test(method) ? 302 : 303, headers });
  }
  const answer = problem(refuse("signed_out", "You are not signed in.", signedOutFacts(why)));
  if (isNginx) answer.headers.set("Location", login);
  return answer;
}

/** The page that was asked for, as the proxy tells it; null where `next` may not lead there. */
function wantedPage({ headers }: Request, settings: Call["parts"]["settings"]): string | null {
  const original = headers.get("x-original-url");
  if (original !== null) return allowedNext(original, settings);
  const uri = headers.get("x-forwarded-uri");
  const host = first(headers.get("x-forwarded-host"));
  if (uri === null && host === undefined) return null;
  const scheme = first(headers.get("x-forwarded-proto")) ?? (settings.baseUrl.secure ? "https" : "http");
  if (!/^https?$/.test(scheme)) return null;
  const page = `${scheme}://${host ?? settings.baseUrl.host}${uri?.startsWith("/") ? uri : "/"}`;
  return allowedNext(page, settings);
}
