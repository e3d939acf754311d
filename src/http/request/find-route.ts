import { RegExpRouter } from "hono/router/reg-exp-router";
import { getPath, tryDecodeURIComponent } from "hono/utils/url";
import type { BaseUrl } from "../../options/kinds.ts";
import type { RequestHead } from "./request-head.ts";

type Routed = { readonly method: string; readonly path: string };

/** The route of a request and its parameters; or the methods that its path has, as `Allow` lists them. */
type Found<Route> =
  | { route: Route; param: (name: string) => string; allowed?: never }
  | { route: null; param?: never; allowed: string };

/** What matches, each with the places of its parameters among the values. */
type Match<Route> = [[Route, Readonly<Record<string, unknown>>][], (readonly string[])?];

/**
 * Which route answers a request, below the base URL. By Hono's router alone: an app of Hono's around it makes a
 * context for each request, which a proxy's check would pay for. What answers GET answers HEAD.
 */
export function findRoute<Route extends Routed>(
  routes: readonly Route[],
  baseUrl: BaseUrl,
): (request: RequestHead) => Found<Route> {
  const router = new RegExpRouter<Route>();
  for (const route of routes)
    for (const path of pathsOf(route.path, baseUrl)) router.add(route.method, path, route);
  return (request) => {
    const { method } = request;
    // It reads nothing but the URL.
    const path = getPath(request as Request);
    const [[match], values = []]: Match<Route> = router.match(method === "HEAD" ? "GET" : method, path);
    if (!match) return { route: null, allowed: methodsAt(pathBelow(path, baseUrl), routes) };
    const [route, places] = match;
    return { route, param: (name) => tryDecodeURIComponent(values[Number(places[name])] ?? "") };
  };
}

/** A route's paths, below the base URL's: the root has two, with and without the last slash. */
function pathsOf(path: string, { path: base }: BaseUrl): string[] {
  if (path !== "/") return [base + path];
  return base === "" ? ["/"] : [base, `${base}/`];
}

/** The path below the base URL; null outside of it. */
function pathBelow(path: string, { path: base }: BaseUrl): string | null {
  if (path === base) return "/";
  return path.startsWith(`${base}/`) ? path.slice(base.length) : null;
}

/** The methods that a path has, as `Allow` lists them; empty where there is no such path. */
function methodsAt(path: string | null, routes: readonly Routed[]): string {
  const found = routes.filter((route) => path !== null && isAt(route.path, path));
  const methods = found.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : method));
  return methods.join(", ");
}

function isAt(route: string, path: string): boolean {
  return new RegExp(`^${route.replace(/:\w+/g, "[^/]+")}$`).test(path);
}
