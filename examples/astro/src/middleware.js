import { defineMiddleware } from "astro:middleware";
import { latchkey } from "./latchkey.js";

/** Everything but Latchkey's own pages needs a session. */
export const onRequest = defineMiddleware(async ({ request, routePattern, locals }, next) => {
  if (routePattern === "/auth/[...path]") return next();
  const who = await (await latchkey).requireSession(request);
  if (who instanceof Response) return who;
  locals.account = who.account;
  return next();
});
