/**
 * The parts of a request that a check reads, so that it works with a server's own requests and with
 * `Request`.
 */
export type RequestHead = {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
};

/** The parts of a request that Latchkey reads to answer it: a web `Request` is one. */
export type IncomingRequest = RequestHead & Pick<Request, "body">;

/**
 * The parts of a Node request (`IncomingMessage`) that a check reads, such as one that becomes a WebSocket.
 */
export type NodeRequestHead = {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** The full path, for frameworks like Express, where `url` holds only the part below the router. */
  readonly originalUrl?: string | undefined;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  /** Alternating names and values, as Node's parser returns them. */
  readonly rawHeaders?: readonly string[];
};

/**
 * The headers of either kind of request, to be read by name. Reads the raw headers of a Node request if it
 * has them: Node would parse all of them for `headers`, and a check needs only two.
 */
export function headersOf(request: NodeRequestHead | Pick<RequestHead, "headers">): RequestHead["headers"] {
  if ("rawHeaders" in request && request.rawHeaders) {
    const { rawHeaders } = request;
    return { get: (name) => inRaw(rawHeaders, name.toLowerCase()) };
  }
  if (isReadByName(request)) return request.headers;
  return {
    get(name) {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : (value ?? null);
    },
  };
}

/** Turns either kind of request into one whose headers can be read by name. */
export function headOf(request: RequestHead | NodeRequestHead): RequestHead {
  if (isReadByName(request)) return request;
  const { method = "GET", originalUrl, url = "/" } = request;
  return { method, url: originalUrl ?? url, headers: headersOf(request) };
}

/** A web request made from a Node request, whose headers are read from the latter only on demand. */
export class RequestOnNode implements IncomingRequest {
  readonly headers: RequestHead["headers"];
  readonly #request: Request;

  constructor(request: Request, incoming: NodeRequestHead) {
    this.headers = headersOf(incoming);
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.url;
  }

  get body(): Request["body"] {
    return this.#request.body;
  }
}

/**
 * The URL that a request asks for; null if it can't be parsed. A path belongs to this site, however many
 * slashes it begins with.
 */
export function addressOf({ url }: Pick<RequestHead, "url">, origin: string): URL | null {
  const address = url.startsWith("/") ? origin + url : url;
  return URL.canParse(address, origin) ? new URL(address, origin) : null;
}

/** Joins a header that occurs more than once; cookies are joined as RFC 9113 (8.2.3) demands. */
function inRaw(rawHeaders: readonly string[], name: string): string | null {
  let found: string | null = null;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const key = rawHeaders[index] ?? "";
    const value = rawHeaders[index + 1] ?? "";
    if (key.length !== name.length || (key !== name && key.toLowerCase() !== name)) continue;
    found = found === null ? value : found + (name === "cookie" ? "; " : ", ") + value;
  }
  return found;
}

function isReadByName<Named extends Pick<RequestHead, "headers">>(
  request: NodeRequestHead | Named,
): request is Named {
  return !("rawHeaders" in request) && typeof request.headers.get === "function";
}
