/** `latchkey/next`: Latchkey inside a Next.js app (App Router, on Node). */
import { headers } from "next/headers.js";
import { redirect } from "next/navigation.js";
import { connection } from "next/server.js";
import type { SignedIn } from "../answers.ts";
import type { Latchkey } from "../latchkey.ts";
import { isAtOrBelow, misplaced, pathOf } from "./place.ts";

/** Made on first use: Next.js loads a module several times, and also while it builds. */
export type LatchkeyOnFirstUse = () => Promise<Latchkey>;

type RouteHandler = (request: Request) => Promise<Response>;

const shared = globalThis as { [made]?: Promise<Latchkey> };
const made = Symbol.for("latchkey");

/**
 * One Latchkey for the whole process, made by the first request:
 * `export const latchkey = onFirstUse(() => createLatchkey({ baseUrl }))`. If creation fails, the next request
 * tries again. Call it once in an app: Next.js may load that line several times, and such copies can't be told from
 * a second call, so the first one used makes the Latchkey for all.
 */
export function onFirstUse(create: () => Promise<Latchkey>): LatchkeyOnFirstUse {
  requireFunction(create, "onFirstUse takes a function");
  return () => {
    shared[made] ??= create().then(letStop, (error) => {
      delete shared[made];
      throw error;
    });
    return shared[made];
  };
}

const MADE = "latchkey/next takes what onFirstUse makes";

/** @throws if untyped code passed a Latchkey, or a promise of one: Next.js would then make one while it builds. */
function requireFunction(given: unknown, takes: string): void {
  if (typeof given === "function") return;
  throw new TypeError(`${takes}. Write: export const latchkey = onFirstUse(() => createLatchkey(…))`);
}

/**
 * Closes open pages' streams on a signal: Next.js stops only once every response is finished, and those never are.
 * Adds no listener for a signal that has none, so that it still ends the process at once.
 */
function letStop(latchkey: Latchkey): Latchkey {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    if (process.listenerCount(signal) > 0) process.once(signal, () => latchkey.closeStreams());
  }
  return latchkey;
}

/**
 * Serves Latchkey's pages and API below its base URL, in `app/auth/[[...path]]/route.ts` for a base URL that ends
 * in `/auth`: `export const { GET, POST, PUT, DELETE } = mount(latchkey)`. The app's `basePath`, if it has one, is
 * part of the base URL, but not of the file's path.
 */
export function mount(latchkey: LatchkeyOnFirstUse): Record<"GET" | "POST" | "PUT" | "DELETE", RouteHandler> {
  requireFunction(latchkey, MADE);
  const answer: RouteHandler = async (request) => {
    const mounted = await latchkey();
    const base = pathOf(mounted);
    const { pathname } = new URL(request.url);
    const whole = withBasePath(pathname, base);
    if (whole === null) {
      throw misplaced(pathname, base, `Move the file to app${base}/[[...path]]/route.ts, or change baseUrl.`);
    }
    return mounted.fetch(asPlain(request, whole));
  };
  return { GET: answer, POST: answer, PUT: answer, DELETE: answer };
}

/**
 * The path as the browser knows it: Next.js removes its `basePath` before a route sees the path, and doesn't say
 * what it was. Null if the rest doesn't begin with an end of the base URL's path.
 */
function withBasePath(pathname: string, base: string): string | null {
  for (let cut = 0; cut !== -1; cut = base.indexOf("/", cut + 1)) {
    if (isAtOrBelow(pathname, base.slice(cut))) return base.slice(0, cut) + pathname;
  }
  return null;
}

/**
 * Asks for an uncompressed response, since Next.js would compress a compressed one again. Removes the slash that
 * its setting `trailingSlash` adds to every path: Latchkey's own have none.
 */
function asPlain({ url, method, headers: given, body, signal }: Request, pathname: string): Request {
  const headers = new Headers(given);
  headers.delete("accept-encoding");
  const plain = new URL(url);
  plain.pathname = pathname.replace(/\/$/, "");
  // Next.js passes a proxy for a request, which the `Request` constructor can't copy.
  return new Request(plain, { method, headers, body, signal, duplex: "half" });
}

/**
 * Who is signed in, for pages and server actions; others are sent to the login page and come back to `page`, a path
 * of this site, with its `basePath`. Call it in each page: a call in a layout protects none, because Next.js doesn't
 * render the layout again between pages. @throws if Latchkey can't answer: the app's error page, never "signed out".
 */
export async function requireSession(latchkey: LatchkeyOnFirstUse, page: string): Promise<SignedIn> {
  requireFunction(latchkey, MADE);
  if (typeof page !== "string")
    throw new TypeError(
      'requireSession takes the page to come back to, such as requireSession(latchkey, "/private").',
    );
  // Next.js renders pages ahead of requests, even with headers known: only this call waits for a real request.
  await connection();
  const given = await headers();
  const who = await (await latchkey()).requireSession({
    method: "GET",
    url: page,
    // The router's own requests for a page look like data requests, but are a person's navigation.
    headers: { get: (name) => (name === "sec-fetch-mode" ? "navigate" : given.get(name)) },
  });
  if (!(who instanceof Response)) return who;
  const login = who.headers.get("location");
  if (login === null) throw new Error("Latchkey can't answer right now; nobody was logged out.");
  return redirect(login);
}

/** Lets signed-in people through to a route handler; others get 401, or the login page if a browser navigates. */
export function withSession<Context>(
  latchkey: LatchkeyOnFirstUse,
  handle: (request: Request, who: SignedIn, context: Context) => Response | Promise<Response>,
): (request: Request, context: Context) => Promise<Response> {
  requireFunction(latchkey, MADE);
  return async (request, context) => {
    // With `cacheComponents`, Next.js also calls route handlers while it builds: that call ends here.
    await connection();
    const who = await (await latchkey()).requireSession(request);
    return who instanceof Response ? who : handle(request, who, context);
  };
}
