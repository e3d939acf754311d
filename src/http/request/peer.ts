import type { HttpBindings } from "@hono/node-server";

/**
 * The address at the other end of a request of Node's server. Empty where the connection is gone already: that
 * must not look like a server that tells no peers, where a forwarded header may be believed.
 */
export function peerOf({ socket }: HttpBindings["incoming"]): string {
  return socket.remoteAddress ?? "";
}
