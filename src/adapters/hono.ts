/** `latchkey/hono`: Latchkey inside a Hono app, on Node. */
import type { HttpBindings } from "@hono/node-server";
import type { Context, HonoRequest, MiddlewareHandler } from "hono";
import type { SignedIn } from "../answers.ts";
import { peerOf } from "../http/request/peer.ts";
import { type IncomingRequest, RequestOnNode } from "../http/request/request-head.ts";
import { requireSession as requireSessionOf } from "../http/require-session.ts";
import type { Latchkey } from "../latchkey.ts";
import { bodyIsGone, isAtOrBelow, misplaced, mountAt, placeError, requireLatchkey } from "./place.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who sent this request; set by `requireSession(latchkey)`. */
    latchkey: SignedIn;
  }
}

/**
 * Serves Latchkey's pages and API below its base URL, and passes every other request on to the app:
 * `app.use(mount(latchkey))`. Middleware that has read the body before it does no harm.
 * @throws if the base URL has no path.
 */
export function mount(latchkey: Latchkey): MiddlewareHandler {
  requireLatchkey(latchkey, "mount(latchkey)");
  const base = mountAt(latchkey);
  let isPlaced = false;
  return (context, next) => {
    if (!isPlaced) requirePlace(context.req, base);
    isPlaced = true;
    return isAtOrBelow(context.req.path, base) ? answer(latchkey, context) : next();
  };
}

/**
 * Lets signed-in people through, and sets `context.get("latchkey")`; others are sent to the login page, or get 401.
 * Throws if it is registered before `mount`.
 */
export function requireSession(latchkey: Latchkey): MiddlewareHandler<{ Variables: { latchkey: SignedIn } }> {
  requireLatchkey(latchkey, "requireSession(latchkey)");
  return async (context, next) => {
    const misuse = placeError(latchkey, context.req.path);
    if (misuse) throw misuse;
    const who = await requireSessionOf(latchkey.parts, requestOf(context));
    if (who instanceof Response) return who;
    context.set("latchkey", who);
    return next();
  };
}

/** Doesn't use "hono/route", which only knows requests of its own copy of Hono: the app has another. */
function requirePlace({ routePath }: HonoRequest, base: string): void {
  const prefix = routePath.replace(/\/?(\*|:).*$/, "");
  if (!isAtOrBelow(base, prefix))
    throw misplaced(prefix, base, "Write app.use(mount(latchkey)), or change baseUrl.");
}

function answer(latchkey: Latchkey, context: Context): Promise<Response> {
  const incoming = incomingOf(context);
  const peer = incoming && peerOf(incoming);
  if (context.req.raw.bodyUsed) return whole(context.req).then((request) => latchkey.fetch(request, peer));
  return latchkey.fetch(requestOf(context), peer);
}

/** The request, with headers from Node's own if there is one: building all of them costs time. */
function requestOf(context: Context): IncomingRequest {
  const incoming = incomingOf(context);
  return incoming ? new RequestOnNode(context.req.raw, incoming) : context.req.raw;
}

/** Rebuilds a request whose body earlier middleware has read. */
async function whole(req: HonoRequest): Promise<Request> {
  if (Object.keys(req.bodyCache).length === 0) throw bodyIsGone();
  const headers = new Headers(req.raw.headers);
  headers.delete("content-length");
  const { url, method, signal } = req.raw;
  return new Request(url, { method, headers, signal, body: await req.arrayBuffer() });
}

/** Node's own request if the app runs on Node's server; else undefined. */
function incomingOf({ env }: Context): HttpBindings["incoming"] | undefined {
  return (env as Partial<HttpBindings> | undefined)?.incoming;
}
