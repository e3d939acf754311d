/** `latchkey/hono`: Latchkey inside a Hono app, on Node. */
import type { HttpBindings } from "@hono/node-server";
import type { Context, HonoRequest, MiddlewareHandler } from "hono";
import type { SignedIn } from "../answers.ts";
import { peerOf } from "../http/request/peer.ts";
import { headersOf, type RequestHead, RequestOnNode } from "../http/request/request-head.ts";
import { requireSession as requireSessionOf } from "../http/require-session.ts";
import type { Latchkey } from "../latchkey.ts";
import { bodyIsGone, isAtOrBelow, misplaced, mountAt, placeError, requireLatchkey } from "./place.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who this request comes from; there after `requireSession(latchkey)`. */
    latchkey: SignedIn;
  }
}

/**
 * Everything of Latchkey's below its base URL; every other request goes on to the app:
 * `app.use(mount(latchkey))`. A middleware that has read the body before it does no harm.
 * @throws where the base URL has no path.
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
 * Lets signed-in people through, as `context.get("latchkey")`; others go to the login page, or get 401.
 * Throws where it is registered before `mount`.
 */
export function requireSession(latchkey: Latchkey): MiddlewareHandler<{ Variables: { latchkey: SignedIn } }> {
  requireLatchkey(latchkey, "requireSession(latchkey)");
  return async (context, next) => {
    const misuse = placeError(latchkey, context.req.path);
    if (misuse) throw misuse;
    const who = await requireSessionOf(latchkey.parts, headOf(context));
    if (who instanceof Response) return who;
    context.set("latchkey", who);
    return next();
  };
}

/** Not by "hono/route": it knows only requests of its own copy of Hono, and an app has another. */
function requirePlace({ routePath }: HonoRequest, base: string): void {
  const prefix = routePath.replace(/\/?(\*|:).*$/, "");
  if (!isAtOrBelow(base, prefix))
    throw misplaced(prefix, base, "Write app.use(mount(latchkey)), or change baseUrl.");
}

function answer(latchkey: Latchkey, context: Context): Promise<Response> {
  const { raw } = context.req;
  const incoming = incomingOf(context);
  const peer = incoming && peerOf(incoming);
  if (raw.bodyUsed) return whole(context.req).then((request) => latchkey.fetch(request, peer));
  return latchkey.fetch(incoming ? new RequestOnNode(raw, incoming) : raw, peer);
}

/** What a check reads of the request; from Node's own where there is one, since a whole `Request` takes time to make. */
function headOf(context: Context): RequestHead {
  const incoming = incomingOf(context);
  return incoming ? new Head(context.req, headersOf(incoming)) : context.req.raw;
}

/** Its URL is put together only when something asks for it. */
class Head implements RequestHead {
  readonly headers: RequestHead["headers"];
  readonly #req: HonoRequest;

  constructor(req: HonoRequest, headers: RequestHead["headers"]) {
    this.#req = req;
    this.headers = headers;
  }

  get method(): string {
    return this.#req.method;
  }

  get url(): string {
    return this.#req.url;
  }
}

/** The request with its body again, of which a middleware has read something before. */
async function whole(req: HonoRequest): Promise<Request> {
  if (Object.keys(req.bodyCache).length === 0) throw bodyIsGone();
  const headers = new Headers(req.raw.headers);
  headers.delete("content-length");
  const { url, method, signal } = req.raw;
  return new Request(url, { method, headers, signal, body: await req.arrayBuffer() });
}

/** The request of Node's own, where the app runs on Node's server; undefined elsewhere. */
function incomingOf({ env }: Context): HttpBindings["incoming"] | undefined {
  return (env as Partial<HttpBindings> | undefined)?.incoming;
}
