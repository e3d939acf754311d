import { createServer, type Server, type ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import type { BaseUrl } from "../options/kinds.ts";
import { refuse } from "../refusals.ts";
import { problem } from "./answers.ts";
import { type Fetch, withSecurityHeaders } from "./app.ts";
import { peerOf } from "./request/peer.ts";

/** A server that listens. */
export type Listening = {
  readonly port: number;
  /** Takes no new connections, lets every request under way finish, then closes. */
  close(): Promise<void>;
};

/** What a server needs of a Latchkey. */
type Served = { fetch: Fetch; closeStreams(): void; settings: { baseUrl: BaseUrl } };

/** How long a request under way may take while the server stops, in ms. */
const STOP_TIMEOUT = 10_000;
/** How long an idle connection may still send a request then, in ms. */
const LAST_CALL = 100;
/** What a URL's parser takes for the end of the host, or for a name before it. */
const NO_HOST = /[\\/?#@]/;
/** Longer than proxies keep an idle connection, so that none is closed just as a proxy uses it again; ms. */
const KEEP_ALIVE = 75_000;

/**
 * Serves on a port of its own.
 * @throws the system's error where the port is taken (`EADDRINUSE`) or may not be used.
 */
export async function listen(latchkey: Served, where: { port: number; host: string }): Promise<Listening> {
  const server = createServer(
    getRequestListener((request, env) => fetchReadable(latchkey, request, env as HttpBindings), {
      overrideGlobalObjects: true,
      // For requests without a Host, which HTTP/1.0 allows.
      hostname: "localhost",
      errorHandler: (error) => unreadable(error, latchkey.settings.baseUrl),
    }),
  );
  server.headersTimeout = 20_000;
  server.keepAliveTimeout = KEEP_ALIVE;
  server.requestTimeout = 60_000;
  const stop = stopper(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where.port, where.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : where.port,
    close: () => stop(() => latchkey.closeStreams()),
  };
}

/**
 * The request listener lets a Host through such as 999.1.1.1, with which no URL can be parsed, and one that is more
 * than a host, if it is as long as what it is read as: `9\abcde` and `abcde@9`, as 0.0.0.9.
 */
function fetchReadable(latchkey: Served, request: Request, env: HttpBindings): Promise<Response> | Response {
  const { host = "" } = env.incoming.headers;
  if (URL.canParse(request.url) && !NO_HOST.test(host)) return latchkey.fetch(request, peerOf(env));
  return unreadable(new RequestError("Invalid host header"), latchkey.settings.baseUrl);
}

/** What never becomes a request, such as one with an invalid Host, is refused like any other. */
function unreadable(error: unknown, baseUrl: BaseUrl): Response {
  const code = error instanceof RequestError ? "unreadable_request" : "internal_error";
  return withSecurityHeaders(problem(refuse(code)), baseUrl);
}

/** Knows what is under way, so that a stop waits for that alone, and not for idle connections. */
function stopper(server: Server): (closeStreams: () => void) => Promise<void> {
  const underWay = new Set<ServerResponse>();
  let isStopping = false;
  let lastCall: NodeJS.Timeout | undefined;

  const closeAfter = (response: ServerResponse) => {
    if (!response.headersSent) response.shouldKeepAlive = false;
  };
  const closeRest = () => {
    clearTimeout(lastCall);
    if (isStopping && underWay.size === 0)
      lastCall = setTimeout(() => underWay.size === 0 && server.closeAllConnections(), LAST_CALL);
  };
  server.prependListener("request", (_request, response) => {
    underWay.add(response);
    if (isStopping) closeAfter(response);
    response.once("close", () => {
      underWay.delete(response);
      closeRest();
    });
  });

  return (closeStreams) =>
    new Promise((resolve) => {
      isStopping = true;
      const limit = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT);
      server.close(() => {
        clearTimeout(limit);
        clearTimeout(lastCall);
        resolve();
      });
      for (const response of underWay) closeAfter(response);
      closeStreams();
      closeRest();
    });
}
