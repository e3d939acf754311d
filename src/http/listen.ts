import type { Server, ServerResponse } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import type { Fetch } from "./app.ts";
import { peerOf } from "./request/peer.ts";

/** A server that listens. */
export type Listening = {
  readonly port: number;
  /** Takes no new connections, lets every request under way finish, then closes. */
  close(): Promise<void>;
};

/** How long a request under way may take while the server stops, in ms. */
const STOP_PATIENCE = 10_000;
/** How long a connection without a request may still send one then, in ms. */
const LAST_CALL = 100;
/** Longer than proxies keep an idle connection, so that none is closed just as one is used again; ms. */
const KEEP_ALIVE = 75_000;

/**
 * Serves on a port of its own.
 * @throws the system's error where the port is taken (`EADDRINUSE`) or may not be used.
 */
export async function listen(
  latchkey: { fetch: Fetch; closeStreams(): void },
  where: { port: number; host: string },
): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: (request: Request, env: unknown) => latchkey.fetch(request, peerOf(env)),
    overrideGlobalObjects: true,
    // For who asks without a Host, as HTTP/1.0 may.
    hostname: "localhost",
  }) as Server;
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

/** Knows what is under way, so that a stop waits for that alone, and not for connections that only stand there. */
function stopper(server: Server): (closeStreams: () => void) => Promise<void> {
  const underWay = new Set<ServerResponse>();
  let isStopping = false;
  let lastCall: NodeJS.Timeout | undefined;

  const isLast = (response: ServerResponse) => {
    if (!response.headersSent) response.shouldKeepAlive = false;
  };
  const closeRest = () => {
    clearTimeout(lastCall);
    if (isStopping && underWay.size === 0)
      lastCall = setTimeout(() => underWay.size === 0 && server.closeAllConnections(), LAST_CALL);
  };
  server.prependListener("request", (_request, response) => {
    underWay.add(response);
    if (isStopping) isLast(response);
    response.once("close", () => {
      underWay.delete(response);
      closeRest();
    });
  });

  return (closeStreams) =>
    new Promise((resolve) => {
      isStopping = true;
      const limit = setTimeout(() => server.closeAllConnections(), STOP_PATIENCE);
      server.close(() => {
        clearTimeout(limit);
        clearTimeout(lastCall);
        resolve();
      });
      for (const response of underWay) isLast(response);
      closeStreams();
      closeRest();
    });
}
