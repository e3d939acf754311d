import { type IncomingMessage, request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

type Answered = { path: string; status: number; at: number };

export type HttpsFront = {
  readonly port: number;
  /** The requests so far, the answers, and when they came, in ms; 502 if there was none. */
  readonly answers: readonly Answered[];
  close(): Promise<void>;
};

/**
 * Terminates TLS in front of servers on this machine, as a proxy does; `port` says which one gets a request.
 */
export async function startHttpsFront(
  certificate: { key: string; cert: string },
  port: (incoming: IncomingMessage) => number,
): Promise<HttpsFront> {
  const answers: Answered[] = [];
  const server = createServer(certificate, (incoming, outgoing) => {
    const { method, url: path = "", headers } = incoming;
    // A kept-alive connection may be closed by its server the moment it is used again.
    const to = { host: "127.0.0.1", agent: false, port: port(incoming) };
    const onward = request({ ...to, method, path, headers }, (answer) => {
      const status = answer.statusCode ?? 502;
      answers.push({ path, status, at: performance.now() });
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
      // A stream that its server breaks off is broken off here, too.
      answer.once("close", () => answer.complete || outgoing.destroy());
    });
    onward.once("error", () => {
      answers.push({ path, status: 502, at: performance.now() });
      outgoing.destroy();
    });
    outgoing.once("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
