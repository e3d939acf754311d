import fc from "fast-check";
import { seldom } from "./odd.ts";

const LINES = [
  "GET /api/session HTTP/1.1",
  "POST /api/session HTTP/1.1",
  "POST /api/session HTTP/1.0",
  "GET /verify HTTP/1.1",
  "GET * HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "TRACE / HTTP/1.1",
  "CONNECT localhost:1 HTTP/1.1",
  "GET http://evil.example/api/session HTTP/1.1",
  "GET http://[ HTTP/1.1",
  "GET //api/session HTTP/1.1",
  "GET /\\..\\x HTTP/1.1",
  "GET /%00%zz HTTP/1.1",
  "GET /api/session HTTP/9.9",
  "get /healthz http/1.1",
  "PRI * HTTP/2.0",
  "NONSENSE",
  "",
];

const HEADS = [
  "Host: localhost",
  "Host: localhost\r\nHost: evil.example",
  "Host: a b",
  "Host:",
  "Content-Length: 0",
  "Content-Length: 5",
  "Content-Length: 5\r\nContent-Length: 6",
  "Content-Length: -1",
  "Content-Length: 1e3",
  "Content-Length: 99999999999999999999",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nContent-Length: 5",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: identity",
  "Content-Type: application/json",
  "Expect: 100-continue",
  "Expect: something",
  "Upgrade: websocket\r\nConnection: Upgrade",
  "Connection: close",
  "Cookie: latchkey=x\r\nCookie: latchkey=y",
  `Cookie: ${"a=b; ".repeat(800)}`,
  `X-Long: ${"x".repeat(20_000)}`,
  " folded: line",
  "No colon here",
  "X\u0000: y",
  "X: \u0000",
  "Sec-Fetch-Site: same-origin",
];

const ENDS = [
  "{}",
  "5\r\n{}   \r\n0\r\n\r\n",
  "zz\r\n{}\r\n",
  "ffffffffffffffffff\r\n",
  "0\r\nX: y\r\n\r\n",
  "",
  "\u0000".repeat(50),
];

const bytes = fc
  .tuple(
    fc.constantFrom(...LINES),
    fc.array(fc.constantFrom(...HEADS), { maxLength: 5 }),
    fc.constantFrom("\r\n", "\r\n", "\r\n", "\n", "\r"),
    fc.constantFrom(...ENDS),
    seldom<number | null>(6, fc.nat({ max: 200 }), null),
  )
  .map(([line, heads, end, rest, cut]) => {
    const all = `${[line, "Host: localhost", ...heads].join(end)}${end}${end}${rest}`;
    return cut === null ? all : all.slice(0, cut);
  });

/** Requests as bytes that no client would send, always the same ones for a seed. */
export function bytesOf(seed: number, count: number): string[] {
  return fc.sample(bytes, { seed, numRuns: count });
}

/** What is wrong with the response to them. Right are: nothing, or answers that blame the sender. */
export function faultsOfBytes(came: string): string[] {
  if (came === "") return [];
  const statuses = [...came.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
  if (statuses.length === 0) return ["isn't an answer"];
  return statuses.filter((status) => status >= 500).map((status) => `is a ${status}`);
}
