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

/** The parts of a Latchkey that a request listener uses. */
type Answering = { fetch: Fetch; settings: { baseUrl: BaseUrl } };

/** The parts of a Latchkey that a server uses. */
type Served = Answering & { closeStreams(): void };

/** How long a request under way may take while the server stops, in ms. */
const STOP_TIMEOUT = 10_000;
/** How long an idle connection may still send a request while the server stops, in ms. */
const LAST_CALL = 100;
/** Longer than proxies keep idle connections, so that none is closed just as a proxy reuses it; in ms. */
const KEEP_ALIVE = 75_000;

/**
 * Starts a server on a port of its own.
 * @throws the system's error if the port is taken (`EADDRINUSE`) or not allowed.
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

/** A listener for Node's own requests, for Latchkey's own server and for an app around it. */
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
    // Also refuses, in the same form, what can't even become a `Request`, for example because of an invalid
    // Host.
    errorHandler: (error) =>
      error instanceof RequestError
        ? unreadable(baseUrl)
        : withSecurityHeaders(problem(refuse("internal_error")), baseUrl),
  });
}

/** Tracks requests under way, so that stopping waits for them alone and not for idle connections. */
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
