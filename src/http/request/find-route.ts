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
  const allowedAt = (path: string) =>
    routes
      .filter((route) => router.match(route.method, path)[0].some(([found]) => found === route))
      .flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : method))
      .join(", ");
  return (request) => {
    const { method } = request;
    // The cast is safe, since `getPath` reads only the URL.
    const path = getPath(request as Request);
    const [[match], values = []]: Match<Route> = router.match(method === "HEAD" ? "GET" : method, path);
    if (!match) return { route: null, allowed: allowedAt(path) };
    const [route, places] = match;
    return { route, param: (name) => tryDecodeURIComponent(values[Number(places[name])] ?? "") };
  };
}

/** A route's full paths; the root below a base path has two, with and without the trailing slash. */
function pathsOf(path: string, { path: base }: BaseUrl): string[] {
  if (path !== "/") return [base + path];
  return base === "" ? ["/"] : [base, `${base}/`];
}
