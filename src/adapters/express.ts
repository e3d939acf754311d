/** `latchkey/express`: Latchkey inside an Express app, 4 or 5. */
import type { Response as Reply, Request, RequestHandler } from "express";
import type { SignedIn } from "../answers.ts";
import type { Latchkey } from "../latchkey.ts";
import { listenerOf } from "./node-request.ts";
import { bodyIsGone, isAtOrBelow, misplaced, mountAt, placeError, requireLatchkey } from "./place.ts";

declare global {
  namespace Express {
    interface Request {
      /** Who sent this request; set by `requireSession(latchkey)`, so undefined on routes without it. */
      latchkey?: SignedIn;
    }
  }
}

/**
 * Serves Latchkey's pages and API below its base URL, and passes every other request on to the app.
 * Mount it before body parsers (a JSON parser before it does no harm): `app.use(mount(latchkey))`.
 * @throws if the base URL has no path.
 */
export function mount(latchkey: Latchkey): RequestHandler {
  requireLatchkey(latchkey, "mount(latchkey)");
  const base = mountAt(latchkey);
  const answer = listenerOf(latchkey);
  return (request, reply, next) => {
    // Express matches paths without regard to case by default, so /AUTH may be mounted for /auth.
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
 * Lets signed-in people through, and sets `request.latchkey`; others are sent to the login page, or get 401. Passes
 * an error to the app if something fails, or if it is registered before `mount`.
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

/** Takes only the path from an absolute URL in a request line (RFC 9112, 3.2.2), as Express's router does. */
function pathAskedFor({ originalUrl }: Request): string {
  return originalUrl.replace(/^https?:\/\/[^/?#]*/i, "").split("?", 1)[0] ?? "";
}

/** Sends nothing if other middleware, such as a timeout, has answered meanwhile. */
async function send(answer: Response, reply: Reply): Promise<void> {
  const body = await answer.text();
  if (reply.headersSent) return;
  reply.writeHead(answer.status, Object.fromEntries(answer.headers));
  reply.end(body);
}

/** If a body parser has already read the stream, puts what it read into `rawBody`, where the listener looks. */
function giveBackBody(request: Request & { rawBody?: unknown }): Error | null {
  if (!request.readableDidRead || request.rawBody instanceof Buffer) return null;
  const { body } = request;
  if (body === undefined) return bodyIsGone();
  request.rawBody =
    body instanceof Buffer ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return null;
}
