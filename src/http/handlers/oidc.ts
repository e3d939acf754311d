import type { CurrentSession } from "../../changes/proof.ts";
import type { Settings } from "../../options/options.ts";
import { refuse } from "../../refusals.ts";
import { makeSecret } from "../../sessions/token.ts";
import type { CallbackResult, Intent } from "../../sign-in/oidc.ts";
import { handleCallback, isForPage, startAuthorization } from "../../sign-in/oidc.ts";
import { json, problem } from "../answers.ts";
import { bodies } from "../bodies.ts";
import type { Call } from "../call.ts";
import { browserOf, clientInfoOf, read } from "../call.ts";
import { allowedNext, loginUrl } from "../next.ts";
import { actingIn, currentSession, type SignedInCall, withNewToken } from "../signed-in.ts";
import { answerSignIn } from "./sign-in.ts";

/** Where a provider sends the browser back to; to be registered there. */
export function callbackUrl({ baseUrl }: Pick<Settings, "baseUrl">, provider: string): string {
  return `${baseUrl.href}/api/oidc/${provider}/callback`;
}

/** A button "Continue with …": sends the browser to the provider. Only the site's own pages may begin that. */
export async function getOidcStart(call: Call): Promise<Response> {
  const { parts, request, now, param } = call;
  const provider = parts.providers.get(param("provider"));
  if (!provider) return problem(refuse("not_found", "There is no such provider."));
  // HEAD begins nothing, and uses nothing up: whoever only looks where a link leads isn't going there.
  if (request.method === "HEAD") return toPage(call, "sign_in", null, null);
  const site = request.headers.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") return problem(refuse("cross_site"));
  // Nothing here depends on who is signed in, but it is use of their session.
  await currentSession(call);
  const browser = browserOf(call) ?? makeSecret();
  const { searchParams } = new URL(request.url);
  const next = allowedNext(searchParams.get("next"), parts.settings);
  const touchPoints = /^\d{1,3}$/.test(searchParams.get("touchPoints") ?? "")
    ? Number(searchParams.get("touchPoints"))
    : null;
  const asking = clientInfoOf(call);
  const of = { intent: "sign_in", current: null, browser, next, touchPoints, asking } as const;
  const round = await startAuthorization(parts, provider, of, now);
  if (!round.ok) return toPage(call, "sign_in", null, round.code);
  return redirect(round.url, [parts.cookies.setCeremony(browser)]);
}

/** Connecting a provider, or proving with it that it is still you: answers where to send the browser. */
export async function postOidcStart(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.oidcStart);
  if (!asked.ok) return problem(asked);
  const { parts, current, now, param } = call;
  const provider = parts.providers.get(param("provider"));
  if (!provider) return problem(refuse("not_found", "There is no such provider."));
  const browser = browserOf(call) ?? makeSecret();
  const { intent } = asked.body;
  const asking = clientInfoOf(call);
  const of = { intent, current, browser, next: null, touchPoints: null, asking };
  const round = await startAuthorization(parts, provider, of, now);
  return round.ok ? json(200, { url: round.url }, [parts.cookies.setCeremony(browser)]) : problem(round);
}

/** The way back. Whatever is wrong with it, the person lands on a page that says what to do. */
export async function getOidcCallback(call: Call): Promise<Response> {
  const { parts, request, now, param } = call;
  const provider = parts.providers.get(param("provider"));
  if (!provider) return problem(refuse("not_found", "There is no such provider."));
  if (request.method === "HEAD") return toPage(call, "sign_in", null, null);
  const answer = new URL(callbackUrl(parts.settings, provider.settings.id) + new URL(request.url).search);
  const current = await whoActs(call);
  const clientInfo = (touchPoints?: number) => clientInfoOf(call, touchPoints);
  const came = await handleCallback(
    parts,
    provider,
    { answer, browser: browserOf(call), current, clientInfo },
    now,
  );
  if (came === null) return toPage(call, "sign_in", null, "link_expired");
  const landing = await land(call, came);
  return current === null ? landing : withNewToken(call, current, landing);
}

async function land(call: Call, came: CallbackResult): Promise<Response> {
  const { parts } = call;
  if (came.intent === "connect") return toPage(call, "connect", null, came.done.ok ? null : came.done.code);
  if (came.intent === "prove") {
    if (!came.done.ok) return toPage(call, "prove", null, came.done.code);
    return redirect(`${parts.settings.baseUrl.href}/settings/security?proved=1`);
  }
  const { done, next, clientInfo } = came;
  if (!done.ok) return toPage(call, "sign_in", next, done.code);
  const answer = await answerSignIn(call, clientInfo, done);
  const cookies = answer.headers.getSetCookie();
  if ("started" in done) return redirect(next ?? `${parts.settings.baseUrl.href}/settings/security`, cookies);
  return redirect(withParameter(loginUrl(next, parts.settings), "step", "two-factor"), cookies);
}

async function whoActs(call: Call): Promise<CurrentSession | null> {
  const answer = await currentSession(call);
  return "session" in answer ? actingIn(call, answer.session) : null;
}

/** The page where the round began, with a code that it has a sentence for. */
function toPage(
  call: Call,
  intent: Intent,
  next: string | null,
  code: Parameters<typeof isForPage>[0] | null,
): Response {
  const { settings } = call.parts;
  const error = code === null ? null : isForPage(code) ? code : "provider_failed";
  if (intent === "sign_in")
    return redirect(
      error === null ? loginUrl(next, settings) : withParameter(loginUrl(next, settings), "error", error),
    );
  const page = `${settings.baseUrl.href}/settings/security`;
  const done =
    error === null
      ? withParameter(page, "connected", call.param("provider"))
      : withParameter(page, "error", error);
  return redirect(`${done}#login-methods`);
}

function withParameter(address: string, name: string, value: string): string {
  const url = new URL(address);
  url.searchParams.set(name, value);
  return url.href;
}

function redirect(location: string, cookies: string[] = []): Response {
  const response = new Response(null, {
    status: 302,
    headers: { Location: location, "Cache-Control": "no-store" },
  });
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
  return response;
}
