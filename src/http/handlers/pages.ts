import type { BaseUrl } from "../../options/kinds.ts";
import type { SignedOut } from "../../sessions/authenticate.ts";
import type { Call } from "../call.ts";
import { cookieHeader } from "../call.ts";
import { type Asset, type Dashboard, withEnding } from "../dashboard.ts";
import { handOver } from "../hand-over.ts";
import { allowedNext, loginUrl } from "../next.ts";
import { currentSession } from "../signed-in.ts";

/** Handlers of the dashboard's pages. What a page may show is decided here, before any of it is sent. */
export function pages(dashboard: Dashboard | null) {
  const show = (call: Call, ending: SignedOut = NOTHING_ENDED): Response =>
    dashboard
      ? html(200, withEnding(dashboard.html(pathIn(call)), ending))
      : notBuilt(call.parts.settings.baseUrl);

  async function page(call: Call): Promise<Response> {
    const who = await currentSession(call);
    return "session" in who ? handOver(call, who, show(call)) : show(call);
  }

  async function root(call: Call): Promise<Response> {
    const { href } = call.parts.settings.baseUrl;
    const who = await currentSession(call);
    return "session" in who
      ? handOver(call, who, redirect(`${href}/settings/security`))
      : redirect(`${href}/login`);
  }

  async function login(call: Call): Promise<Response> {
    const who = await currentSession(call);
    if (!("session" in who)) return show(call, who);
    const { settings, cookies } = call.parts;
    const { searchParams } = new URL(call.request.url);
    // Who is signed in already may be signing in as somebody else, or be told what went wrong on the way here.
    const isHalfWay =
      searchParams.get("step") === "two-factor" && cookies.signInToken(cookieHeader(call)) !== null;
    if (isHalfWay) return show(call);
    const error = searchParams.get("error");
    const home = `${settings.baseUrl.href}/settings/security`;
    if (error !== null) return handOver(call, who, redirect(`${home}?error=${encodeURIComponent(error)}`));
    return handOver(call, who, redirect(allowedNext(searchParams.get("next"), settings) ?? home));
  }

  async function settings(call: Call): Promise<Response> {
    const who = await currentSession(call);
    if ("session" in who) return handOver(call, who, show(call));
    const { baseUrl } = call.parts.settings;
    const { pathname, search } = new URL(call.request.url);
    return redirect(loginUrl(baseUrl.origin + pathname + search, call.parts.settings));
  }

  async function asset(call: Call): Promise<Response> {
    const path = pathIn(call);
    const found = dashboard?.assets.get(path);
    return found
      ? sendAsset(call.request, found, path.startsWith("/assets/"))
      : missing(call.parts.settings.baseUrl);
  }

  return { page, root, login, settings, asset };
}

const NOTHING_ENDED: SignedOut = { reason: "none", by: null, at: null };

/** The path below the base URL. */
function pathIn({ request, parts }: Call): string {
  return new URL(request.url).pathname.slice(parts.settings.baseUrl.path.length);
}

function sendAsset(request: Request, asset: Asset, hasHashedName: boolean): Response {
  const accepted = request.headers.get("accept-encoding") ?? "";
  const encoding = (["br", "gzip"] as const).find((one) => new RegExp(`\\b${one}\\b`).test(accepted));
  return new Response(encoding ? asset.encoded[encoding] : asset.bytes, {
    headers: {
      "Content-Type": asset.type,
      "Cache-Control": hasHashedName ? "public, max-age=31536000, immutable" : "public, max-age=3600",
      Vary: "Accept-Encoding",
      ...(encoding ? { "Content-Encoding": encoding } : {}),
    },
  });
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { Location: location, "Cache-Control": "no-store" } });
}

export function html(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" },
  });
}

/** A page of one sentence and a way on, for when there is nothing else to show. */
export function plainPage(status: number, sentence: string, { href, path }: BaseUrl): Response {
  return html(
    status,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Latchkey</title><link rel="stylesheet" href="${path}/plain.css"></head><body><main><h1>Latchkey</h1><p>${sentence}</p><p><a href="${href}/">Go to your account</a></p></main></body></html>`,
  );
}

function missing(baseUrl: BaseUrl): Response {
  return plainPage(404, "There is no such page.", baseUrl);
}

function notBuilt(baseUrl: BaseUrl): Response {
  return plainPage(
    503,
    "The dashboard hasn't been built yet. Run npm run build:dashboard, then start again.",
    baseUrl,
  );
}
