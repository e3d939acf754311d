import type { IncomingMessage } from "node:http";
import { headersOf, type RequestHead } from "../http/request/request-head.ts";

/** What a check reads of a request of Node's own; `url` where a framework keeps the whole of it elsewhere. */
export function headOf(request: IncomingMessage, url = request.url ?? "/"): RequestHead {
  return { method: request.method ?? "GET", url, headers: headersOf(request) };
}
