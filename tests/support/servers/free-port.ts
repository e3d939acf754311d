import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listenOn(probe);
  probe.close();
  await once(probe, "close");
  return port;
}

/**
 * A port that serves nobody: each connection is broken off. It is held as long as this process lives, so that
 * nothing else can take it.
 */
export function deadPort(): Promise<number> {
  return listenOn(createServer((socket) => socket.destroy()).unref());
}

async function listenOn(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
