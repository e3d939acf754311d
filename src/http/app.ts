import { Hono } from "hono";
import { DatabaseUnavailable } from "../database/database.ts";
import type { BaseUrl } from "../option-readers.ts";
import { Busy, refuse } from "../refusals.ts";
import { problem } from "./answers.ts";
import type { HttpParts } from "./call.ts";
import type { Dashboard } from "./dashboard.ts";
import { refuseCrossSite } from "./guards.ts";
import { plainPage } from "./handlers/pages.ts";
import type { Route } from "./routes.ts";
import { api, dashboardRoutes } from "./routes.ts";

/** Answers a request; `remote` is the peer's address, where the server below knows it. */
export type Fetch = (request: Request, remote?: string) => Promise<Response>;

type Bindings = { Bindings: { remote?: string } };

/** Everything that Latchkey answers, as one function: guards, routes, one catch, and the headers of every answer. */
export function createApp(parts: HttpParts, dashboard: Dashboard | null): Fetch {
  const { baseUrl } = parts.settings;
  const app = new Hono<Bindings>({ strict: true }).basePath(baseUrl.path || "/");
  const routes = [...api, ...dashboardRoutes(dashboard)];
  for (const [method, path, handle] of routes) {
    app.on(method, path, (context) => {
      const { raw: request } = context.req;
      const crossSite = method === "ALL" ? null : refuseCrossSite(request, baseUrl);
      if (crossSite) return problem(crossSite);
      const param = (name: string) => context.req.param(name) ?? "";
      return handle({ parts, request, remote: context.env?.remote, now: parts.settings.now(), param });
    });
  }
  for (const path of new Set(api.map(([, path]) => path))) {
    app.all(path, () => problem(refuse("method_not_allowed", `Allowed here: ${methodsOf(api, path)}.`)));
  }
  app.notFound(() => problem(refuse("not_found")));
  app.onError((error, context) => broken(parts, error, context.req.raw));

  const outer = new Hono<Bindings>();
  if (baseUrl.path)
    outer.all(`${baseUrl.path}/`, (context) =>
      app.fetch(new Request(baseUrl.href, context.req.raw), context.env),
    );
  outer.route("/", app);
  outer.notFound((context) =>
    wantsPage(context.req.raw) ? plainPage(404, "There is no such page.") : problem(refuse("not_found")),
  );
  outer.onError((error, context) => broken(parts, error, context.req.raw));
  return async (request, remote) =>
    withHeaders(await outer.fetch(request, remote === undefined ? {} : { remote }), baseUrl);
}

function methodsOf(routes: Route[], path: string): string {
  return routes
    .filter(([, one]) => one === path)
    .map(([method]) => method)
    .join(", ");
}

/** The one catch. A database that is down is 503 and says nothing about who is signed in. */
function broken(parts: HttpParts, error: Error, request: Request): Response {
  const isDown = error instanceof DatabaseUnavailable || error instanceof Busy || "errcode" in error;
  const path = new URL(request.url).pathname;
  parts.log.error(
    { err: error, method: request.method, path },
    isDown ? "Not available." : "A request broke.",
  );
  if (!isDown) return problem(refuse("internal_error"));
  const sentence = "Latchkey can't answer right now. Try again in a moment; nobody was logged out.";
  const response = wantsPage(request) ? plainPage(503, sentence) : problem(refuse("unavailable", sentence));
  response.headers.set("Retry-After", "2");
  return response;
}

function wantsPage(request: Request): boolean {
  return request.method === "GET" && (request.headers.get("accept") ?? "").includes("text/html");
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: [string, string][] = [
  ["Content-Security-Policy", CONTENT_SECURITY_POLICY],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "same-origin"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  [
    "Permissions-Policy",
    "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
  ],
];

function withHeaders(response: Response, baseUrl: BaseUrl): Response {
  for (const [name, value] of HEADERS) response.headers.set(name, value);
  if (baseUrl.secure) response.headers.set("Strict-Transport-Security", "max-age=31536000");
  return response;
}
