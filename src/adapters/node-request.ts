import type { IncomingMessage } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { peerOf } from "../http/request/peer.ts";
import { headersOf, type RequestHead } from "../http/request/request-head.ts";
import type { Latchkey } from "../latchkey.ts";

/** Answers requests of Node's own; a framework's body that was read already is looked for in `rawBody`. */
export function listenerOf(latchkey: Latchkey): ReturnType<typeof getRequestListener> {
  return getRequestListener((request, env) => latchkey.fetch(request, peerOf(env)), {
    overrideGlobalObjects: false,
  });
}

/** What a check reads of a request of Node's own; `url` where a framework keeps the whole of it elsewhere. */
export function headOf(request: IncomingMessage, url = request.url ?? "/"): RequestHead {
  return { method: request.method ?? "GET", url, headers: headersOf(request) };
}
