/** `latchkey/express`: Latchkey inside an Express 5 app. */
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { NextFunction, Response as Reply, Request, RequestHandler } from "express";
import type { SignedIn } from "../http/require-session.ts";
import type { Latchkey } from "../latchkey.ts";
import { headOf } from "./node-request.ts";
import { isAtOrBelow, misplaced, pathOf } from "./place.ts";

declare global {
  namespace Express {
    interface Request {
      /** Who this request comes from; there after `requireSession(latchkey)`. */
      latchkey: SignedIn;
    }
  }
}

/**
 * Everything of Latchkey's below its base URL; every other request goes on to the app.
 * Mount it before body parsers (one that has read JSON does no harm): `app.use(mount(latchkey))`.
 * @throws where the base URL has no path.
 */
export function mount(latchkey: Latchkey): RequestHandler {
  const base = pathOf(latchkey);
  const answer = getRequestListener(
    (request, env) => latchkey.fetch(request, (env as HttpBindings).incoming.socket.remoteAddress),
    { overrideGlobalObjects: false },
  );
  return (request, reply, next) => {
    if (!isAtOrBelow(base, request.baseUrl)) {
      return next(misplaced(request.baseUrl, base, "Write app.use(mount(latchkey)), or change baseUrl."));
    }
    if (!isAtOrBelow(request.originalUrl.split("?", 1)[0] ?? "", base)) return next();
    const problem = giveBackBody(request);
    if (problem) return next(problem);
    request.url = request.originalUrl;
    answer(request, reply).catch(next);
  };
}

/** Lets signed-in people through, as `request.latchkey`; others go to the login page, or get 401. */
export function requireSession(latchkey: Latchkey): RequestHandler {
  return (request, reply, next) => {
    latchkey.requireSession(headOf(request, request.originalUrl)).then(async (who) => {
      if (who instanceof Response) return send(who, reply);
      request.latchkey = who;
      next();
    }, next satisfies NextFunction);
  };
}

async function send(answer: Response, reply: Reply): Promise<void> {
  reply.writeHead(answer.status, Object.fromEntries(answer.headers));
  reply.end(await answer.text());
}

/** A body parser that ran first has emptied the stream: what it left is put where the listener looks for it. */
function giveBackBody(request: Request & { rawBody?: unknown }): Error | null {
  if (!request.readableDidRead || request.rawBody instanceof Buffer) return null;
  const { body } = request;
  if (body === undefined) {
    return new Error(
      "Something before Latchkey read the request's body and kept nothing of it. Move app.use(mount(latchkey)) above it.",
    );
  }
  request.rawBody =
    body instanceof Buffer ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return null;
}
