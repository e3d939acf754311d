import { Agent, request } from "node:http";
import { connect } from "node:net";
import type { Answer } from "../support/requests/answers.ts";
import type { Body } from "./bodies.ts";

export type Asked = {
  method: string;
  path: string;
  /** In the order on the wire, including repeated names. */
  headers: [name: string, value: string][];
  body: Body;
};

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const TIMEOUT = 30_000;

/** One request as it is; only the beginning of a stream is read. @throws if nothing comes back. */
export function ask(port: number, { method, path, headers, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length: [string, string][] =
      body === null ? [] : [["Content-Length", String(Buffer.byteLength(body))]];
    const lines = [...length, ...headers].flat();
    const outgoing = request({ agent, host: "127.0.0.1", port, method, path, headers: lines }, (incoming) => {
      const chunks: Buffer[] = [];
      const done = () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const setCookies = incoming.headers["set-cookie"] ?? [];
        const body = isJson(incoming.headers["content-type"]) ? JSON.parse(text || "{}") : {};
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, setCookies, text, body });
      };
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", reject);
      incoming.once("end", done);
      if (incoming.headers["content-type"]?.startsWith("text/event-stream")) {
        done();
        incoming.removeListener("error", reject).on("error", () => {});
        outgoing.destroy();
      }
    });
    outgoing.setTimeout(TIMEOUT, () => outgoing.destroy(new Error("No answer came.")));
    outgoing.on("error", reject);
    outgoing.end(body ?? undefined);
  });
}

const isJson = (type = "") => /^application\/(problem\+)?json/.test(type);

/** Sends bytes that may not be a request at all; returns everything that comes back. */
export function askInBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let came = "";
    socket.setEncoding("latin1");
    socket.setTimeout(TIMEOUT, () => socket.destroy(new Error("The connection stays open.")));
    socket.on("data", (chunk: string) => {
      came += chunk;
    });
    socket.once("end", () => socket.end());
    // A request that is refused before it was read completely may be cut off: no answer is valid, too.
    socket.on("error", (error: NodeJS.ErrnoException) =>
      ["ECONNRESET", "EPIPE"].includes(error.code ?? "") ? resolve(came) : reject(error),
    );
    socket.once("close", () => resolve(came));
    socket.end(Buffer.from(bytes, "latin1"));
  });
}
