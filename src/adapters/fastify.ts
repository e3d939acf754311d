/** `latchkey/fastify`: Latchkey inside a Fastify 5 app. */
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { FastifyInstance, FastifyPluginAsync, preHandlerAsyncHookHandler } from "fastify";
import type { SignedIn } from "../http/require-session.ts";
import type { Latchkey } from "../latchkey.ts";
import { headOf } from "./node-request.ts";
import { isAtOrBelow, misplaced, pathOf } from "./place.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Who this request comes from; there after `preHandler: requireSession(latchkey)`. */
    latchkey: SignedIn;
  }
}

/**
 * The plugin that answers everything of Latchkey's below its base URL:
 * `await app.register(mount, { latchkey })`. The app's body parsers don't touch these requests.
 * @throws where the base URL has no path, or lies outside the prefix that the plugin is registered with.
 */
export const mount: FastifyPluginAsync<{ latchkey: Latchkey }> = Object.assign(
  async (app: FastifyInstance, { latchkey }: { latchkey: Latchkey }) => {
    const base = pathOf(latchkey);
    if (!isAtOrBelow(base, app.prefix)) {
      throw misplaced(app.prefix, base, "Register it outside that prefix, or change baseUrl.");
    }
    if (!app.hasRequestDecorator("latchkey")) app.decorateRequest("latchkey");
    app.register(async (own) => answerBelow(own, base.slice(app.prefix.length), latchkey));
  },
  // What it decorates is for the whole app, so the plugin gets no scope of its own.
  { [Symbol.for("skip-override")]: true, [Symbol.for("fastify.display-name")]: "latchkey" },
);

function answerBelow(own: FastifyInstance, path: string, latchkey: Latchkey): void {
  const answer = getRequestListener(
    (request, env) => latchkey.fetch(request, (env as HttpBindings).incoming.socket.remoteAddress),
    { overrideGlobalObjects: false },
  );
  own.removeAllContentTypeParsers();
  own.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null));
  for (const url of path === "" ? ["/", "/*"] : [path, `${path}/*`]) {
    own.all(url, (request, reply) => {
      reply.hijack();
      return answer(request.raw, reply.raw);
    });
  }
}

/** Lets signed-in people through, as `request.latchkey`; others go to the login page, or get 401. */
export function requireSession(latchkey: Latchkey): preHandlerAsyncHookHandler {
  return async (request, reply) => {
    const who = await latchkey.requireSession(headOf(request.raw, request.originalUrl));
    if (who instanceof Response) return reply.send(who);
    request.latchkey = who;
  };
}
