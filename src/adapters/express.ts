/** `latchkey/express`: Latchkey inside an Express app, 4 or 5. */
import type { Response as Reply, Request, RequestHandler } from "express";
import type { SignedIn } from "../answers.ts";
import type { Latchkey } from "../latchkey.ts";
import { listenerOf } from "./node-request.ts";
import { bodyIsGone, isAtOrBelow, misplaced, mountAt, placeError, requireLatchkey } from "./place.ts";

declare global {
  namespace Express {
    interface Request {
      /** Who this request comes from; there after `requireSession(latchkey)`, and not on open routes. */
      latchkey?: SignedIn;
    }
  }
}

/**
 * Everything of Latchkey's below its base URL; every other request goes on to the app.
 * Mount it before body parsers (one that has read JSON does no harm): `app.use(mount(latchkey))`.
 * @throws where the base URL has no path.
 */
export function mount(latchkey: Latchkey): RequestHandler {
  requireLatchkey(latchkey, "mount(latchkey)");
  const base = mountAt(latchkey);
  const answer = listenerOf(latchkey);
  return (request, reply, next) => {
    // Express takes /AUTH for /auth unless it is told otherwise, so that says nothing of where this is mounted.
    if (!isAtOrBelow(base.toLowerCase(), request.baseUrl.toLowerCase())) {
      return next(misplaced(request.baseUrl, base, "Write app.use(mount(latchkey)), or change baseUrl."));
    }
    if (!isAtOrBelow(pathAskedFor(request), base)) return next();
    const problem = giveBackBody(request);
    if (problem) return next(problem);
    request.url = request.originalUrl;
    answer(request, reply).catch(next);
  };
}

/**
 * Lets signed-in people through, as `request.latchkey`; others go to the login page, or get 401. Passes an error to
 * the app where something fails, or where it is registered before `mount`.
 */
export function requireSession(latchkey: Latchkey): RequestHandler {
  requireLatchkey(latchkey, "requireSession(latchkey)");
  return (request, reply, next) => {
    const misuse = placeError(latchkey, pathAskedFor(request));
    if (misuse) return next(misuse);
    latchkey
      .requireSession(request)
      .then((who) => {
        if (who instanceof Response) return send(who, reply);
        request.latchkey = who;
        next();
      })
      // Express 4 doesn't notice rejected promises.
      .catch(next);
  };
}

/** Its router, too, reads the path alone where a request names the whole address (RFC 9112, 3.2.2). */
function pathAskedFor({ originalUrl }: Request): string {
  return originalUrl.replace(/^https?:\/\/[^/?#]*/i, "").split("?", 1)[0] ?? "";
}

/** Other middleware may have answered meanwhile, such as a timeout. */
async function send(answer: Response, reply: Reply): Promise<void> {
  const body = await answer.text();
  if (reply.headersSent) return;
  reply.writeHead(answer.status, Object.fromEntries(answer.headers));
  reply.end(body);
}

/** A body parser that ran first has emptied the stream: what it read is put where the listener looks for it. */
function giveBackBody(request: Request & { rawBody?: unknown }): Error | null {
  if (!request.readableDidRead || request.rawBody instanceof Buffer) return null;
  const { body } = request;
  if (body === undefined) return bodyIsGone();
  request.rawBody =
    body instanceof Buffer ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return null;
}
