/** `latchkey/hono`: Latchkey inside a Hono app, on Node. */
import type { HttpBindings } from "@hono/node-server";
import type { Context, MiddlewareHandler } from "hono";
import { cloneRawRequest } from "hono/request";
import { routePath } from "hono/route";
import type { SignedIn } from "../http/require-session.ts";
import type { Latchkey } from "../latchkey.ts";
import { isAtOrBelow, misplaced, pathOf } from "./place.ts";

/**
 * Everything of Latchkey's below its base URL; every other request goes on to the app:
 * `app.use(mount(latchkey))`. A middleware that has read the body before it does no harm.
 * @throws where the base URL has no path.
 */
export function mount(latchkey: Latchkey): MiddlewareHandler {
  const base = pathOf(latchkey);
  return async (context, next) => {
    const prefix = routePath(context).replace(/\/?(\*|:).*$/, "");
    if (!isAtOrBelow(base, prefix)) {
      throw misplaced(prefix, base, "Write app.use(mount(latchkey)), or change baseUrl.");
    }
    if (!isAtOrBelow(new URL(context.req.url).pathname, base)) return next();
    const { req } = context;
    return latchkey.fetch(req.raw.bodyUsed ? await cloneRawRequest(req) : req.raw, peerOf(context));
  };
}

/** Lets signed-in people through, as `context.get("latchkey")`; others go to the login page, or get 401. */
export function requireSession(latchkey: Latchkey): MiddlewareHandler<{ Variables: { latchkey: SignedIn } }> {
  return async (context, next) => {
    const who = await latchkey.requireSession(context.req.raw);
    if (who instanceof Response) return who;
    context.set("latchkey", who);
    return next();
  };
}

/** The address at the other end, where the app runs on Node's server. */
function peerOf(context: Context): string | undefined {
  return (context.env as Partial<HttpBindings> | undefined)?.incoming?.socket?.remoteAddress;
}
