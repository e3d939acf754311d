import { getRequestListener } from "@hono/node-server";
import { latchkey } from "../utils/latchkey.js";

/** Nuxt's own way to send a Response doesn't notice when the browser goes away, and open pages would add up. */
const latchkeysOwn = fromNodeMiddleware(
  getRequestListener(
    async (request, { incoming }) => (await latchkey).fetch(request, incoming.socket.remoteAddress),
    { overrideGlobalObjects: false },
  ),
);

export default defineEventHandler(async (event) => {
  const { pathname, href: url } = getRequestURL(event);
  if (pathname === "/auth" || pathname.startsWith("/auth/")) {
    // Nuxt takes the path of `app.baseURL` off, if there is one.
    event.node.req.url = event.node.req.originalUrl;
    return latchkeysOwn(event);
  }
  const { method, headers } = event;
  const who = await (await latchkey).requireSession({ method, url, headers });
  if (who instanceof Response) return who;
  event.context.account = who.account;
});
