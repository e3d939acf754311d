import type { Settings } from "../../options/options.ts";
import type { SignedOut } from "../../sessions/authenticate.ts";
import type { Call } from "../call.ts";
import { cookieHeader } from "../call.ts";
import { type Asset, type Dashboard, escapeHtml, withEnding } from "../dashboard.ts";
import { handOver } from "../hand-over.ts";
import { allowedNext, loginUrl } from "../next.ts";
import { currentSession } from "../signed-in.ts";

/** Handlers of the dashboard's pages. What a page may show is decided here, before any of it is sent. */
export function pages(dashboard: Dashboard | null) {
  const show = (call: Call, ending: SignedOut = NOTHING_ENDED): Response =>
    dashboard ? html(200, withEnding(dashboard.html, ending)) : notBuilt(call.parts.settings);

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
    const { pathname } = new URL(call.request.url);
    const found = dashboard?.assets.get(pathname.slice(call.parts.settings.baseUrl.path.length));
    return found
      ? sendAsset(call.request, found, pathname.includes("/assets/"))
      : missing(call.parts.settings);
  }

  return { page, root, login, settings, asset };
}

const NOTHING_ENDED: SignedOut = { reason: "none", by: null, at: null };

function sendAsset(request: Request, asset: Asset, hasHashedName: boolean): Response {
  const zips = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  return new Response(zips ? asset.zipped : asset.bytes, {
    headers: {
      "Content-Type": asset.type,
      "Cache-Control": hasHashedName ? "public, max-age=31536000, immutable" : "public, max-age=3600",
      Vary: "Accept-Encoding",
      ...(zips ? { "Content-Encoding": "gzip" } : {}),
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
export function plainPage(status: number, sentence: string, settings: Settings): Response {
  const { href, path } = settings.baseUrl;
  const name = escapeHtml(settings.name ?? "Latchkey");
  return html(
    status,
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${name}</title><link rel="stylesheet" href="${path}/plain.css"></head><body><main><h1>${name}</h1><p>${sentence}</p><p><a href="${href}/">Go to your account</a></p></main></body></html>`,
  );
}

function missing(settings: Settings): Response {
  return plainPage(404, "There is no such page.", settings);
}

function notBuilt(settings: Settings): Response {
  return plainPage(
    503,
    "The dashboard hasn't been built yet. Run npm run build:dashboard, then start again.",
    settings,
  );
}
