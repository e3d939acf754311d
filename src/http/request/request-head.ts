/** What a check reads of a request, so that a server's own request serves as well as a `Request`. */
export type RequestHead = {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
};

/** What a check reads of a request of Node's own (`IncomingMessage`), such as one that becomes a WebSocket. */
export type NodeRequestHead = {
  readonly headers: { readonly [name: string]: string | string[] | undefined };
};

/** The headers of either, to be read by name. */
export function headersOf({
  headers,
}: NodeRequestHead | Pick<RequestHead, "headers">): RequestHead["headers"] {
  if (isReadByName(headers)) return headers;
  return {
    get(name) {
      const value = headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : (value ?? null);
    },
  };
}

function isReadByName(
  headers: NodeRequestHead["headers"] | RequestHead["headers"],
): headers is RequestHead["headers"] {
  return typeof headers.get === "function";
}
