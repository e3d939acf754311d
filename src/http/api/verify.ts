import { z } from "zod";
import type { SignedOut } from "../../answers.ts";
import { inAscii } from "../../credentials/email-address.ts";
import type { FoundSession } from "../../database/database.ts";
import { problem } from "../answers.ts";
import type { Call } from "../call.ts";
import type { Identity } from "../identify.ts";
import { noteRefused } from "../log/refused.ts";
import { allowedNext, navigates, toWayIn, wayIn } from "../next.ts";
import { first } from "../request/reached-at.ts";
import type { ApiRoute } from "../route.ts";
import { notLetIn, whyNotLetIn } from "../two-factor-needed.ts";

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
    "For a proxy in front of an app: who is this? Every method is answered alike; with mode=nginx, nobody is redirected: the 401 has the Location.",
  query: { mode: MODES },
  answers: { 204: signedIn, 302: toLoginPage, 303: toLoginPage },
  refuses: ["two_factor_needed"],
  async respond(call, who) {
    if (!("session" in who)) return turnAway(call, who);
    const why = whyNotLetIn(call.parts.settings, who.session);
    return why === null ? tell(who) : turnAway(call, why);
  },
};

/**
 * The answer to the proxy goes by the cookie alone. What a client can forge (`X-Forwarded-*`) only chooses
 * the status and where to go on after a sign-in. A database that is down is 503 by the one catch, never 2xx.
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

/** Anyone can sign up with anybody's address: until it is confirmed, no app is told that it is theirs. */
function confirmedAddress({ email, emailVerifiedAt }: FoundSession): Record<string, string> {
  return emailVerifiedAt === null ? {} : { "Remote-User": inAscii(email) };
}

function turnAway(call: Call, why: SignedOut): Response {
  const { request } = call;
  const refusal = notLetIn(why);
  noteRefused(call, refusal);
  const { settings } = call.parts;
  const page = wantedPage(request, settings);
  const isNginx = new URL(request.url).searchParams.get("mode") === "nginx";
  if (navigates(request) && !isNginx)
    return toWayIn(why, page, request.headers.get("x-forwarded-method") ?? "GET", settings);
  const answer = problem(refusal);
  if (isNginx) answer.headers.set("Location", wayIn(why, page, settings));
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
