import type { SignedOut } from "../../answers.ts";
import type { Settings } from "../../options/options.ts";
import { redirect } from "../answers.ts";
import { type Call, cookieHeader } from "../call.ts";
import type { Identity } from "../identify.ts";
import { allowedNext, loginUrl } from "../next.ts";
import { whyNotLetIn } from "../require-two-factor.ts";
import type { Route } from "../route.ts";
import { sendAsset } from "./asset.ts";
import { type Dashboard, withEnding } from "./dashboard.ts";
import { html, plainPage } from "./html.ts";

const TASKS = ["/sign-up", "/forgot-password", "/reset-password", "/confirm-email", "/keep-email", "/not-me"];

/** The shape of a refusal's code. */
const CODE = /^[a-z_]{1,40}$/;

/** The dashboard's pages. Redirects are decided here, before any part of a page is sent. */
export function pageRoutes(dashboard: Dashboard | null): Route[] {
  const show = (call: Call, ending: SignedOut = { reason: "none" }): Response =>
    dashboard
      ? html(200, withEnding(dashboard.html(pathIn(call)), ending, call.now))
      : notBuilt(call.parts.settings);
  const asset = async (call: Call): Promise<Response> => {
    const path = pathIn(call);
    const found = dashboard?.assets.get(path);
    return found ? sendAsset(call.request, found, path.startsWith("/assets/")) : missing(call.parts.settings);
  };
  const page = (path: string, session: Route["session"], respond: Route["respond"]): Route => ({
    method: "GET",
    path,
    session,
    respond,
  });

  return [
    page("/", "optional", async ({ parts: { settings } }, who) =>
      redirect(`${settings.baseUrl.href}/${"session" in who ? "settings/security" : "login"}`),
    ),
    page("/login", "optional", async (call, who) =>
      "session" in who ? (pastLogin(call, who) ?? show(call)) : show(call, who),
    ),
    ...TASKS.map((path) => page(path, "optional", async (call) => show(call))),
    page("/settings/security", "required", async (call, who) =>
      "session" in who
        ? show(call, whyNotLetIn(call.parts.settings, who.session) ?? undefined)
        : logInFirst(call),
    ),
    page("/assets/:file", "none", asset),
    page("/favicon.svg", "none", asset),
    page("/plain.css", "none", asset),
  ];
}

/**
 * Where the login page redirects someone who is signed in. Null if a pending sign-in waits for its second
 * factor, since they may be switching accounts; also null if the target depends on the URL's fragment, which
 * only the page can read.
 */
function pastLogin(call: Call, { session }: Identity): Response | null {
  const { settings, cookies } = call.parts;
  const { searchParams } = new URL(call.request.url);
  const step = searchParams.get("step");
  if (step === "two-factor" && cookies.signInToken(cookieHeader(call)) !== null) return null;
  const home = `${settings.baseUrl.href}/settings/security`;
  // The settings page says what went wrong on the way here.
  const error = searchParams.get("error");
  if (error !== null && CODE.test(error)) return redirect(`${home}?error=${error}`);
  const next = allowedNext(searchParams.get("next"), settings);
  const why = whyNotLetIn(settings, session);
  if (why !== null) return redirect(loginUrl(next, settings, why.reason));
  return step === "place" ? null : redirect(next ?? home);
}

function logInFirst({ request, parts: { settings } }: Call): Response {
  const { pathname, search } = new URL(request.url);
  return redirect(loginUrl(allowedNext(settings.baseUrl.origin + pathname + search, settings), settings));
}

/** The path below the base URL. */
function pathIn({ request, parts }: Call): string {
  return new URL(request.url).pathname.slice(parts.settings.baseUrl.path.length);
}

function missing(settings: Settings): Response {
  return plainPage(404, "There is no such page.", settings);
}

function notBuilt(settings: Settings): Response {
  return plainPage(
    503,
    "Latchkey's pages are missing. In a clone, run npm run build:dashboard. If your app's build copies packages, have it copy the whole folder node_modules/latchkey/dist. Then start again.",
    settings,
  );
}
