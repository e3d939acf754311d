import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export type Sites = {
  port: number;
  /** The rows that a form was posted to, and their answers. */
  forms: { path: string; status: number }[];
  close(): Promise<void>;
};

/**
 * Hosts that a browser on this machine resolves by itself: ours, a sibling on the same site, and another
 * site.
 */
export const OWN = "login.site.localhost";
export const SIBLING = "evil.site.localhost";
export const OTHER = "evil.localhost";

/** One port on which `OWN` is the test's server, and every other host an attacker's empty page. */
export async function startSites(port: () => number): Promise<Sites> {
  const forms: Sites["forms"] = [];
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    if (!headers.host?.startsWith(`${OWN}:`)) {
      outgoing.setHeader("Content-Type", "text/html");
      outgoing.end("<!doctype html><title>An attacker's page</title>");
      return;
    }
    const onward = request({ host: "127.0.0.1", port: port(), method, path, headers }, (answer) => {
      const status = answer.statusCode ?? 502;
      const isForm = method === "POST" && headers["sec-fetch-mode"] === "navigate";
      if (isForm) forms.push({ path: path ?? "", status });
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    forms,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
