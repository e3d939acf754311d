import type { HttpBindings } from "@hono/node-server";

/**
 * The address of the peer that sent a request to Node's server. Empty if the connection is already closed:
 * undefined would mean a server that never tells peers, for which a forwarded header may be trusted.
 */
export function peerOf({ socket }: HttpBindings["incoming"]): string {
  return socket.remoteAddress ?? "";
}
