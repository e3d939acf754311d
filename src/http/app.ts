import type { BaseUrl } from "../options/kinds.ts";
import { isDevelopment } from "../options/options.ts";
import { refuse } from "../refusals.ts";
import { problem } from "./answers.ts";
import type { Call, HttpParts } from "./call.ts";
import { delayRefusals } from "./delay-refusals.ts";
import { errorResponse, notFound } from "./errors.ts";
import { refuseCrossSite, refuseOtherBodies } from "./guards.ts";
import { answerAs } from "./identify.ts";
import { refused } from "./log/refused.ts";
import type { Dashboard } from "./pages/dashboard.ts";
import { developmentRoutes } from "./pages/development-emails.ts";
import { pageRoutes } from "./pages/pages.ts";
import { findRoute } from "./request/find-route.ts";
import type { IncomingRequest, RequestHead } from "./request/request-head.ts";
import type { Route } from "./route.ts";
import { api } from "./routes.ts";

/** Answers a request; `remote` is the peer's address, if the underlying server tells it. */
export type Fetch = (request: IncomingRequest, remote?: string) => Promise<Response>;

/**
 * Answers all of Latchkey's requests: guards, routes, one catch for errors, and the headers of every
 * response.
 */
export function createApp(parts: HttpParts, dashboard: Dashboard | null): Fetch {
  const { baseUrl } = parts.settings;
  const development = isDevelopment(parts.settings) ? developmentRoutes : [];
  const find = findRoute([...api, ...pageRoutes(dashboard), ...development], baseUrl);
  const send = delayRefusals();
  const answer = (request: IncomingRequest, remote: string | undefined) => {
    const { route, param, allowed } = find(request);
    if (!route) return allowed ? otherMethods(allowed) : notFound(request, parts.settings);
    return serve(route, { parts, request, remote, now: parts.settings.now(), route: route.path, param });
  };
  return async (request, remote) => {
    requireWebRequest(request);
    if (!isReadable(request)) return unreadable(baseUrl);
    parts.noticePeer(remote);
    let response: Response;
    try {
      response = await answer(request, remote);
    } catch (error) {
      response = errorResponse(parts, error, request);
    }
    if (request.method === "HEAD") response = new Response(null, response);
    return send(withSecurityHeaders(response, baseUrl));
  };
}

/** @throws if an untyped app passes something else, such as one of Node's own requests. */
function requireWebRequest(given: Partial<IncomingRequest> | undefined): void {
  if (typeof given?.headers?.get === "function") return;
  throw new TypeError(
    "latchkey.fetch takes a web Request. In an app on node:http, a server such as @hono/node-server makes one.",
  );
}

/**
 * Characters at which a URL parser ends the host, or takes the text before for user info; and the comma that
 * joins two Host headers, which RFC 9112 (3.2) forbids.
 */
const NO_HOST = /[\\/?#@,]/;

/**
 * Servers let through a Host like 999.1.1.1, which makes the URL invalid. They also let through some that are
 * more than a host, such as `9\abcde` and `abcde@9`: each is as long as 0.0.0.9, the host that a URL parser
 * reads.
 */
function isReadable({ url, headers }: RequestHead): boolean {
  return URL.canParse(url) && !NO_HOST.test(headers.get("host") ?? "");
}

/** The answer to a request whose URL or Host can't be read. */
export function unreadable(baseUrl: BaseUrl): Response {
  return withSecurityHeaders(problem(refuse("unreadable_request")), baseUrl);
}

/** Handles a request in order: the guards, then who sent it, then the route's own answer. */
function serve(route: Route, call: Call): Response | Promise<Response> {
  const { parts, request, remote } = call;
  const { settings } = parts;
  const unguarded = route.method === "ALL" || route.restsOnProof;
  if (route.method !== "GET" && !unguarded) parts.warnOnForeignOrigin(request, remote);
  const refusal =
    (unguarded ? null : (refuseCrossSite(request, settings.baseUrl) ?? refuseOtherBodies(request))) ??
    route.missing?.(settings);
  return refusal ? refused(call, refusal) : answerAs(call, route, (who) => route.respond(call, who));
}

function otherMethods(allowed: string): Response {
  const answer = problem(refuse("method_not_allowed", `Allowed here: ${allowed}.`));
  answer.headers.set("Allow", allowed);
  return answer;
}

const PAGE_HEADERS: [string, string][] = [
  [
    "Content-Security-Policy",
    [
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
    ].join("; "),
  ],
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

const DATA_HEADERS: [string, string][] = [
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
];

/**
 * Adds security headers: all of them to a page, the relevant ones to data, only HSTS to an empty response.
 */
export function withSecurityHeaders(response: Response, baseUrl: BaseUrl): Response {
  const isEmpty = response.status === 204;
  // A proxy's check is a hot path, and the server creates a response's `Headers` only when they are accessed.
  if (isEmpty && !baseUrl.secure) return response;
  const { headers } = response;
  const isPage = headers.get("content-type")?.startsWith("text/html");
  if (!isEmpty) for (const [name, value] of isPage ? PAGE_HEADERS : DATA_HEADERS) headers.set(name, value);
  if (baseUrl.secure) headers.set("Strict-Transport-Security", "max-age=31536000");
  return response;
}
