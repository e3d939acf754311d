import type { Server } from "node:http";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import type { Fetch } from "./app.ts";

/** A server that listens. */
export type Listening = {
  readonly port: number;
  /** Takes no new connections, lets every request under way finish, then closes. */
  close(): Promise<void>;
};

const STOP_PATIENCE = 10_000;
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
    fetch: (request: Request, env: HttpBindings | unknown) =>
      latchkey.fetch(request, (env as HttpBindings).incoming.socket.remoteAddress),
    overrideGlobalObjects: true,
  }) as Server;
  server.headersTimeout = 20_000;
  server.keepAliveTimeout = KEEP_ALIVE;
  server.requestTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(where.port, where.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : where.port,
    close: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), STOP_PATIENCE);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        latchkey.closeStreams();
        server.closeIdleConnections();
      }),
  };
}
