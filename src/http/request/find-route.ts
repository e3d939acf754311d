import { RegExpRouter } from "hono/router/reg-exp-router";
import { getPath, tryDecodeURIComponent } from "hono/utils/url";
import type { BaseUrl } from "../../options/kinds.ts";
import type { RequestHead } from "./request-head.ts";

type Routed = { readonly method: string; readonly path: string };

/**
 * The route of a request and its parameters; or else the methods of its path, as the header `Allow` lists
 * them.
 */
type Found<Route> =
  | { route: Route; param: (name: string) => string; allowed?: never }
  | { route: null; param?: never; allowed: string };

/** The matching routes, each with the indexes of its parameters in the values. */
type Match<Route> = [[Route, Readonly<Record<string, unknown>>][], (readonly string[])?];

/**
 * Finds the route for a request below the base URL. Uses Hono's router alone, since a Hono app would create a
 * context for each request, at the expense of a proxy's check. Routes for GET also answer HEAD.
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
    // The cast is safe, since `getPath` reads only the URL.
    const path = getPath(request as Request);
    const [[match], values = []]: Match<Route> = router.match(method === "HEAD" ? "GET" : method, path);
    if (!match) return { route: null, allowed: methodsAt(pathBelow(path, baseUrl), routes) };
    const [route, places] = match;
    return { route, param: (name) => tryDecodeURIComponent(values[Number(places[name])] ?? "") };
  };
}

/** A route's full paths; the root below a base path has two, with and without the trailing slash. */
function pathsOf(path: string, { path: base }: BaseUrl): string[] {
  if (path !== "/") return [base + path];
  return base === "" ? ["/"] : [base, `${base}/`];
}

/** The path below the base URL; null if it isn't below it. */
function pathBelow(path: string, { path: base }: BaseUrl): string | null {
  if (path === base) return "/";
  return path.startsWith(`${base}/`) ? path.slice(base.length) : null;
}

/** The methods of a path, as `Allow` lists them; empty if there is no such path. */
function methodsAt(path: string | null, routes: readonly Routed[]): string {
  const found = routes.filter((route) => path !== null && isAt(route.path, path));
  const methods = found.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : method));
  return methods.join(", ");
}

function isAt(route: string, path: string): boolean {
  return new RegExp(`^${route.replace(/:\w+/g, "[^/]+")}$`).test(path);
}
