/** What a check reads of a request, so that a server's own request serves as well as a `Request`. */
export type RequestHead = {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
};

/** What Latchkey reads of a request that it answers: a web `Request` is one. */
export type IncomingRequest = RequestHead & Pick<Request, "body">;

/** What a check reads of a request of Node's own (`IncomingMessage`), such as one that becomes a WebSocket. */
export type NodeRequestHead = {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** The whole path, where a framework cuts `url` down to what is below its router, as Express does. */
  readonly originalUrl?: string | undefined;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  /** Names and values alternate, as Node's parser leaves them. */
  readonly rawHeaders?: readonly string[];
};

/**
 * The headers of either, to be read by name. Of a request of Node's own the raw ones are read where it has
 * them: Node parses all of them for `headers`, and a check needs two.
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

/** Either, as one whose headers can be read by name. */
export function headOf(request: RequestHead | NodeRequestHead): RequestHead {
  if (isReadByName(request)) return request;
  const { method = "GET", originalUrl, url = "/" } = request;
  return { method, url: originalUrl ?? url, headers: headersOf(request) };
}

/** A request that a server has made of one of Node's own, with headers that are read one by one as they are asked for. */
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
 * The address that a request asks for. A path alone is one of this site, however many slashes it begins with.
 * Null where it can't be read.
 */
export function addressOf({ url }: Pick<RequestHead, "url">, origin: string): URL | null {
  const address = url.startsWith("/") ? origin + url : url;
  return URL.canParse(address, origin) ? new URL(address, origin) : null;
}

/** A header that comes more than once is joined, cookies as RFC 9113 says (8.2.3). */
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
