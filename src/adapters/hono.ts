/** `latchkey/hono`: Latchkey inside a Hono app, on Node. */
import type { HttpBindings } from "@hono/node-server";
import type { Context, HonoRequest, MiddlewareHandler } from "hono";
import type { SignedIn } from "../answers.ts";
import { peerOf } from "../http/request/peer.ts";
import { headersOf, type RequestHead } from "../http/request/request-head.ts";
import type { Latchkey } from "../latchkey.ts";
import { bodyIsGone, isAtOrBelow, misplaced, mountAt, standsAboveMount } from "./place.ts";

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
  const base = mountAt(latchkey);
  return async (context, next) => {
    // Not by the helpers of "hono/route": they know only requests of their own copy of Hono, and an app has its own.
    const prefix = context.req.routePath.replace(/\/?(\*|:).*$/, "");
    if (!isAtOrBelow(base, prefix)) {
      throw misplaced(prefix, base, "Write app.use(mount(latchkey)), or change baseUrl.");
    }
    if (!isAtOrBelow(context.req.path, base)) return next();
    return latchkey.fetch(await whole(context.req), peerIn(context));
  };
}

/**
 * Lets signed-in people through, as `context.get("latchkey")`; others go to the login page, or get 401.
 * Throws where it stands above `mount`.
 */
export function requireSession(latchkey: Latchkey): MiddlewareHandler<{ Variables: { latchkey: SignedIn } }> {
  return async (context, next) => {
    const misuse = standsAboveMount(latchkey, context.req.path);
    if (misuse) throw misuse;
    const who = await latchkey.requireSession(headOf(context));
    if (who instanceof Response) return who;
    context.set("latchkey", who);
    return next();
  };
}

/** What a check reads of the request; from Node's own where there is one, since a whole `Request` takes time to make. */
function headOf(context: Context): RequestHead {
  const incoming = (context.env as Partial<HttpBindings> | undefined)?.incoming;
  if (!incoming) return context.req.raw;
  return { method: context.req.method, url: context.req.url, headers: headersOf(incoming) };
}

/** The request with its body; what a middleware has read of it before is put back. */
async function whole(req: HonoRequest): Promise<Request> {
  const { url, method, signal, bodyUsed } = req.raw;
  if (!bodyUsed) return req.raw;
  if (Object.keys(req.bodyCache).length === 0) throw bodyIsGone();
  const headers = new Headers(req.raw.headers);
  headers.delete("content-length");
  return new Request(url, { method, headers, signal, body: await req.arrayBuffer() });
}

/** The address at the other end, where the app runs on Node's server; elsewhere nobody tells it. */
function peerIn({ env }: Context): string | undefined {
  return (env as Partial<HttpBindings> | undefined)?.incoming ? peerOf(env) : undefined;
}
