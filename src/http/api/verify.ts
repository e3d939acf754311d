import { z } from "zod";
import type { SignedOut } from "../../answers.ts";
import { inAscii } from "../../credentials/email-address.ts";
import type { FoundSession } from "../../database/database.ts";
import { problem } from "../answers.ts";
import type { Call } from "../call.ts";
import { type Identity, notSignedIn } from "../identify.ts";
import { noteRefused } from "../log/refused.ts";
import { allowedNext, loginUrl, navigates, redirectFrom } from "../next.ts";
import { firstForwarded } from "../request/foreign-origin.ts";
import type { RequestHead } from "../request/request-head.ts";
import { whyNotLetIn } from "../require-two-factor.ts";
import type { ApiRoute } from "../route.ts";

const MODES = z.enum(["nginx"]);

const toLoginPage = {
  description: "To the login page, or to where a second factor is set up.",
  headers: { Location: { required: true } },
};
const signedIn = {
  description: "Somebody with a live session.",
  headers: {
    "Remote-User": {
      description: "The email address, in ASCII; only once it is confirmed.",
      required: false,
    },
    "Remote-Account": { description: "The account's id, which never changes.", required: true },
    "Remote-Session": { description: "The id of this session; it opens nothing.", required: true },
  },
};

export const verifyRoute: ApiRoute = {
  method: "ALL",
  path: "/verify",
  session: "required",
  name: "verify",
  summary:
    "For a proxy in front of an app: who is signed in? Every method gets the same answer; with mode=nginx, a 401 with Location takes the place of a redirect.",
  query: { mode: MODES },
  answers: { 204: signedIn, 302: toLoginPage, 303: toLoginPage },
  refuses: ["two_factor_needed"],
  respond(call, who) {
    if (!("session" in who)) return turnAway(call, who);
    const why = whyNotLetIn(call.parts.settings, who.session);
    return why === null ? tell(who) : turnAway(call, why);
  },
};

/**
 * The cookie alone decides whether the proxy lets a request in. Headers that a client can forge
 * (`X-Forwarded-*`) only choose the status of a refusal and where to go after a sign-in. If the database is
 * down, the one catch answers 503, never 2xx.
 */
function tell({ session }: Identity): Response {
  const headers = {
    "Cache-Control": "no-store",
    ...confirmedAddress(session),
    "Remote-Account": session.accountId,
    "Remote-Session": session.id,
  };
  return new Response(null, { status: 204, headers });
}

/** Anyone can sign up with someone else's address, so apps are told only a confirmed address. */
function confirmedAddress({ email, emailVerifiedAt }: FoundSession): Record<string, string> {
  return emailVerifiedAt === null ? {} : { "Remote-User": inAscii(email) };
}

function turnAway(call: Call, why: SignedOut): Response {
  const { request, parts } = call;
  const refusal = notSignedIn(why);
  noteRefused(call, refusal);
  const { settings } = parts;
  const page = loginUrl(wantedPage(request, settings), settings, why.reason);
  const isNginx = new URL(request.url).searchParams.get("mode") === "nginx";
  if (navigates(request) && !isNginx)
    return redirectFrom(request.headers.get("x-forwarded-method") ?? "GET", page);
  const answer = problem(refusal);
  if (isNginx) answer.headers.set("Location", page);
  return answer;
}

/** The page that the browser requested from the proxy; null if `next` may not lead there. */
function wantedPage({ headers }: RequestHead, settings: Call["parts"]["settings"]): string | null {
  const original = headers.get("x-original-url");
  if (original !== null) return allowedNext(original, settings);
  const uri = headers.get("x-forwarded-uri");
  const host = firstForwarded(headers.get("x-forwarded-host"));
  if (uri === null && host === undefined) return null;
  const scheme =
    firstForwarded(headers.get("x-forwarded-proto")) ?? (settings.baseUrl.secure ? "https" : "http");
  if (!/^https?$/.test(scheme)) return null;
  const page = `${scheme}://${host ?? settings.baseUrl.host}${uri?.startsWith("/") ? uri : "/"}`;
  return allowedNext(page, settings);
}
