import { z } from "zod";
import type { SignedOut } from "../../answers.ts";
import type { Settings } from "../../options/options.ts";
import { type Refusal, refuse } from "../../refusals.ts";
import { makeSecret } from "../../sessions/token.ts";
import {
  type CallbackResult,
  handleCallback,
  type Intent,
  isForPage,
  startAuthorization,
} from "../../sign-in/oidc.ts";
import { redirect, withHeaders } from "../answers.ts";
import { browserOf, type Call, visitOf } from "../call.ts";
import type { Identity } from "../identify.ts";
import { noteRefused } from "../log/refused.ts";
import { allowedNext, loginUrl } from "../next.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";
import { signInAnswer } from "./sign-in.ts";

/** The URL to which a provider sends the browser back; it must be registered at the provider. */
export function callbackUrl({ baseUrl }: Pick<Settings, "baseUrl">, provider: string): string {
  return `${baseUrl.href}/api/oidc/${provider}/callback`;
}

export const oidcRoutes = [
  route({
    method: "GET",
    path: "/api/oidc/:provider/start",
    // The answer doesn't depend on who is signed in, but the request counts as use of their session.
    session: "optional",
    summary: "Sends the browser to a provider to sign in.",
    query: { next: z.string() },
    answers: { 302: null },
    refuses: ["not_found", "cross_site"],
    handle: startSignIn,
  }),
  route({
    method: "POST",
    path: "/api/oidc/:provider/start",
    session: "required",
    summary: "Where to send the browser to connect a provider, or to use it for a proof.",
    body: bodies.oidcStart,
    answers: { 200: answers.address },
    refuses: ["not_found", "proof_needed", "method_taken", "provider_failed"],
    async handle(call) {
      const { parts, current, body } = call;
      const provider = parts.providers.get(call.param("provider"));
      if (!provider) return noSuchProvider();
      const browser = browserOf(call) ?? makeSecret();
      const of = { intent: body.intent, current, browser, next: null, touchPoints: null };
      const started = await startAuthorization(visitOf(call), provider, of);
      if (!started.ok) return started;
      return { ok: true, body: { url: started.url }, cookies: [parts.cookies.setCeremony(browser)] };
    },
  }),
  route({
    method: "GET",
    path: "/api/oidc/:provider/callback",
    session: "optional",
    summary: "Where a provider sends the browser back to; leads to a page.",
    answers: { 302: null },
    refuses: ["not_found"],
    /** Whatever goes wrong, the person lands on a page that says what to do. */
    async handle(call) {
      const { parts, request, who } = call;
      const provider = parts.providers.get(call.param("provider"));
      if (!provider) return noSuchProvider();
      if (request.method === "HEAD") return toPage(call, "sign_in", null, null);
      const callback = callbackUrl(parts.settings, provider.settings.id);
      const answer = new URL(callback + new URL(request.url).search);
      const current = "session" in who ? who.current : null;
      const visit = (touchPoints?: number) => visitOf(call, touchPoints);
      const back = { answer, browser: browserOf(call), current, visit };
      const result = await handleCallback(parts, provider, back, call.now);
      return result === null ? toPage(call, "sign_in", null, refuse("link_expired")) : answerTo(call, result);
    },
  }),
];

/** A call whose answer may depend on who is signed in. */
type AnyonesCall = Call & { who: Identity | SignedOut };

/** Handles the button "Continue with …": only the site's own pages may send the browser to the provider. */
async function startSignIn(call: AnyonesCall): Promise<Response | Refusal> {
  const { parts, request } = call;
  const provider = parts.providers.get(call.param("provider"));
  if (!provider) return noSuchProvider();
  // HEAD starts no sign-in and uses nothing up: the client only checks where the link leads.
  if (request.method === "HEAD") return toPage(call, "sign_in", null, null);
  const site = request.headers.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") return refuse("cross_site");
  const browser = browserOf(call) ?? makeSecret();
  const { searchParams } = new URL(request.url);
  const next = allowedNext(searchParams.get("next"), parts.settings);
  const given = searchParams.get("touchPoints") ?? "";
  const touchPoints = /^\d{1,3}$/.test(given) ? Number(given) : null;
  const of = { intent: "sign_in", current: null, browser, next, touchPoints } as const;
  const started = await startAuthorization(visitOf(call), provider, of);
  if (!started.ok) return toPage(call, "sign_in", next, started);
  return redirect(started.url, [parts.cookies.setCeremony(browser)]);
}

function answerTo(call: AnyonesCall, result: CallbackResult): Response {
  const { settings } = call.parts;
  const home = `${settings.baseUrl.href}/settings/security`;
  if (result.intent !== "sign_in") {
    const { intent, done } = result;
    if (done.ok && intent === "prove") return redirect(`${home}?proved=1`);
    return toPage(call, intent, null, done.ok ? null : done);
  }
  const { done, next, visit } = result;
  const answer = signInAnswer(call, visit, done);
  if (!answer.ok) return toPage(call, "sign_in", next, answer);
  if (answer.status === 201) return withHeaders(redirect(next ?? home, answer.cookies), answer.headers);
  return redirect(withParameter(loginUrl(next, settings), "step", "two-factor"), answer.cookies);
}

/**
 * Redirects to the page that sent the browser to the provider, with a refusal's code if that page can explain
 * it.
 */
function toPage(call: AnyonesCall, intent: Intent, next: string | null, refusal: Refusal | null): Response {
  const { settings } = call.parts;
  if (refusal) noteRefused(call, refusal, call.who);
  const error = refusal && (isForPage(refusal.code) ? refusal.code : "provider_failed");
  if (intent === "sign_in") {
    const login = loginUrl(next, settings);
    return redirect(error === null ? login : withParameter(login, "error", error));
  }
  const page = `${settings.baseUrl.href}/settings/security`;
  const [name, value] = error === null ? ["connected", call.param("provider")] : ["error", error];
  return redirect(`${withParameter(page, name, value)}#login-methods`);
}

function withParameter(address: string, name: string, value: string): string {
  const url = new URL(address);
  url.searchParams.set(name, value);
  return url.href;
}

function noSuchProvider(): Refusal {
  return refuse("not_found", "There is no such provider.");
}
