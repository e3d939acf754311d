/** `latchkey/fastify`: Latchkey inside a Fastify 5 app. */
import type { Readable } from "node:stream";
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyRequest,
  preHandlerAsyncHookHandler,
} from "fastify";
import type { SignedIn } from "../answers.ts";
import { joinUpTo, LARGEST_BODY } from "../http/guards.ts";
import type { Latchkey } from "../latchkey.ts";
import { listenerOf } from "./node-request.ts";
import { isAtOrBelow, misplaced, mountAt, requireLatchkey } from "./place.ts";

/** Marks Latchkey's own routes. A symbol, so that an app that logs a route's config doesn't log the Latchkey. */
const ownRoutesOf = Symbol("latchkey");

declare module "fastify" {
  interface FastifyContextConfig {
    /** @internal */
    [ownRoutesOf]?: Latchkey;
  }
  interface FastifyRequest {
    /** Who sent this request; set by `preHandler: requireSession(latchkey)`. */
    latchkey: SignedIn;
  }
}

/**
 * The plugin that serves Latchkey's pages and API below its base URL:
 * `await app.register(mount, { latchkey })`. Body parsers and hooks of the app that read these requests do no harm.
 * @throws if the base URL has no path, or lies outside the prefix that the plugin is registered with.
 */
export const mount: FastifyPluginAsync<{ latchkey: Latchkey }> = Object.assign(
  async (app: FastifyInstance, options: { latchkey: Latchkey }) => {
    const latchkey = options?.latchkey;
    requireLatchkey(latchkey, "`await app.register(mount, { latchkey })`");
    const base = mountAt(latchkey);
    if (!isAtOrBelow(base, app.prefix)) {
      throw misplaced(app.prefix, base, "Register it outside that prefix, or change baseUrl.");
    }
    if (!app.hasRequestDecorator("latchkey")) app.decorateRequest("latchkey");
    // The event stream of an open page would keep the app from closing.
    app.addHook("preClose", async () => latchkey.closeStreams());
    app.register(async (own) => answerBelow(own, base.slice(app.prefix.length), latchkey));
  },
  // The decorator must reach the whole app, so the plugin skips encapsulation.
  { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "latchkey" },
);

function answerBelow(own: FastifyInstance, path: string, latchkey: Latchkey): void {
  const answer = listenerOf(latchkey);
  own.removeAllContentTypeParsers();
  own.addContentTypeParser("*", async (_request: FastifyRequest, payload: Readable) => bytesOf(payload));
  for (const url of path === "" ? ["/", "/*"] : [path, `${path}/*`]) {
    own.all(url, { config: { [ownRoutesOf]: latchkey } }, (request, reply) => {
      reply.hijack();
      return answer(Object.assign(request.raw, { rawBody: request.body }), reply.raw);
    });
  }
}

/** The body, after hooks of the app that may have read it; a body that is too large is cut just past the limit. */
async function bytesOf(payload: Readable): Promise<Buffer> {
  const pieces = payload.iterator({ destroyOnReturn: false });
  return (await joinUpTo(pieces, LARGEST_BODY)) ?? Buffer.alloc(LARGEST_BODY + 1);
}

/**
 * Lets signed-in people through, and sets `request.latchkey`; others are sent to the login page, or get 401. Use it
 * for a route (`preHandler`), or for the whole app (`app.addHook("preHandler", …)`): Latchkey's own routes stay open.
 */
export function requireSession(latchkey: Latchkey): preHandlerAsyncHookHandler {
  requireLatchkey(latchkey, "requireSession(latchkey)");
  return async (request, reply) => {
    if (request.routeOptions.config[ownRoutesOf] === latchkey) return;
    const who = await latchkey.requireSession(request.raw);
    if (who instanceof Response) return reply.send(who);
    request.latchkey = who;
  };
}
