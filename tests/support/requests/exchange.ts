import { Agent, type OutgoingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import type { Barrier } from "../servers/barrier.ts";
import type { Answer, Body } from "./answers.ts";

export type Headers = OutgoingHttpHeaders;

export type Outgoing = {
  port: number;
  method: string;
  path: string;
  headers: Headers;
  body?: string | Uint8Array | undefined;
  /** Makes the request wait for others: at its server, which has the head and waits for the body. */
  waitsAt?: Barrier | undefined;
};

const agent = new Agent({ keepAlive: true });

/** One request and its answer, with exactly the headers that are given: a fetch would add its own. */
export function exchange({ port, method, path, headers, body, waitsAt }: Outgoing): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const expect = waitsAt && body !== undefined ? { Expect: "100-continue" } : {};
    const all = { ...length, ...expect, ...headers };
    const options = { agent, host: "127.0.0.1", port, method, path, headers: all };
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", reject);
      incoming.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          setCookies: incoming.headers["set-cookie"] ?? [],
          text,
          body: parse(text),
        });
      });
    });
    outgoing.once("error", reject);
    if (!waitsAt) outgoing.end(body);
    else if (body === undefined) void waitsAt.pass().then(() => outgoing.end());
    else outgoing.once("continue", () => void waitsAt.pass().then(() => outgoing.end(body)));
    if (waitsAt && body !== undefined) outgoing.flushHeaders();
  });
}

/**
 * Sends bytes as they are and returns what comes back, for requests that no HTTP client would make:
 * everything until the other side closes, or no more than `enough`.
 */
export function exchangeBytes(port: number, bytes: string | Uint8Array, enough?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (enough?.test(Buffer.concat(chunks).toString("latin1"))) socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
    socket.write(bytes);
  });
}

function parse(text: string): Body {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
