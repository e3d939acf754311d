import { createServer, type Server, type ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import type { BaseUrl } from "../options/kinds.ts";
import { refuse } from "../refusals.ts";
import { problem } from "./answers.ts";
import { type Fetch, unreadable, withSecurityHeaders } from "./app.ts";
import { peerOf } from "./request/peer.ts";
import { RequestOnNode } from "./request/request-head.ts";

/** A server that listens. */
export type Listening = {
  readonly port: number;
  /** Takes no new connections, lets every request under way finish, then closes. */
  close(): Promise<void>;
};

/** What answers need of a Latchkey. */
type Answering = { fetch: Fetch; settings: { baseUrl: BaseUrl } };

/** What a server needs of one. */
type Served = Answering & { closeStreams(): void };

/** How long a request under way may take while the server stops, in ms. */
const STOP_TIMEOUT = 10_000;
/** How long an idle connection may still send a request then, in ms. */
const LAST_CALL = 100;
/** Longer than proxies keep an idle connection, so that none is closed just as a proxy uses it again; ms. */
const KEEP_ALIVE = 75_000;

/**
 * Serves on a port of its own.
 * @throws the system's error where the port is taken (`EADDRINUSE`) or may not be used.
 */
export async function listen(latchkey: Served, where: { port: number; host: string }): Promise<Listening> {
  const server = createServer(requestListener(latchkey, { overrideGlobalObjects: true }));
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

/** Answers requests of Node's own, of a server alone as of an app around Latchkey. */
export function requestListener(
  { fetch, settings: { baseUrl } }: Answering,
  { overrideGlobalObjects }: { overrideGlobalObjects: boolean },
): ReturnType<typeof getRequestListener> {
  const answer = (request: Request, env: unknown) => {
    const { incoming } = env as HttpBindings;
    return fetch(new RequestOnNode(request, incoming), peerOf(incoming));
  };
  return getRequestListener(answer, {
    overrideGlobalObjects,
    // For requests without a Host, which HTTP/1.0 allows.
    hostname: "localhost",
    // What never becomes a request, such as one with an invalid Host, is refused like any other.
    errorHandler: (error) =>
      error instanceof RequestError
        ? unreadable(baseUrl)
        : withSecurityHeaders(problem(refuse("internal_error")), baseUrl),
  });
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
