import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

/** Ends TLS in front of a server on this machine, as a proxy does. */
export async function startHttpsFront(
  certificate: { key: string; cert: string },
  port: () => number,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(certificate, (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port: port(), method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once("error", () => outgoing.destroy());
    outgoing.once("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
