import type { IncomingMessage } from "node:http";
import { requestListener } from "../http/listen.ts";
import { headersOf, type RequestHead } from "../http/request/request-head.ts";
import type { Latchkey } from "../latchkey.ts";

/** Answers requests of Node's own; a framework's body that was read already is looked for in `rawBody`. */
export function listenerOf(latchkey: Latchkey): ReturnType<typeof requestListener> {
  return requestListener(latchkey, { overrideGlobalObjects: false });
}

/** What a check reads of a request of Node's own; `url` where a framework keeps the whole of it elsewhere. */
export function headOf(request: IncomingMessage, url = request.url ?? "/"): RequestHead {
  return { method: request.method ?? "GET", url, headers: headersOf(request) };
}
