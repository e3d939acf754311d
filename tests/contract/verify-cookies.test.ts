import { describe, expect, test } from "vitest";
import { header } from "../support/requests/answers.ts";
import { exchangeBytes } from "../support/requests/exchange.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import { signUpConfirmed } from "../support/requests/people.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const IDENTITY = ["remote-user", "remote-account", "remote-session"];

/** The same numbers in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

describe("A proxy's check", () => {
  const server = serverOn({ importedCookie: "authjs.session-token" });

  test("is answered 204 with every name or not at all, whatever stands in the Cookie header", async () => {
    const { client, email, account, session } = await signUpConfirmed(server());
    const { token } = client;
    const below = numbers(20_260_301);
    const pieces = [
      `latchkey=${token}`,
      "latchkey=",
      "latchkey",
      "Latchkey=",
      " latchkey =",
      "__Host-latchkey=",
      "__Secure-latchkey=",
      "authjs.session-token=",
      token,
      token.slice(0, -1),
      `${token}A`,
      token.toLowerCase(),
      `"${token}"`,
      encodeURIComponent(token),
      "lk1_",
      "A".repeat(43),
      "; ",
      ";",
      ",",
      "=",
      "%00",
      "%",
      '"',
      "\\",
      "\t",
      "\u00ff",
      "\u00e2\u0080\u00a8",
      "$Version=1",
      "a=b",
      "x".repeat(3_000),
    ];
    const made = Array.from({ length: 800 }, () =>
      Array.from({ length: 1 + below(8) }, () => pieces[below(pieces.length)]).join(""),
    );
    const seen = new Set<number>();
    for (const [index, Cookie] of made.entries()) {
      const asked = index % 3 === 0 ? { Cookie, Accept: "text/html" } : { Cookie };
      const answer = await server().client().get("/verify", asked);
      const names = IDENTITY.map((name) => answer.headers[name]);
      seen.add(answer.status);
      expect([204, 302, 401], Cookie).toContain(answer.status);
      expect(names, Cookie).toEqual(
        answer.status === 204 ? [email, account.id, session.id] : [undefined, undefined, undefined],
      );
    }
    expect([...seen].toSorted()).toEqual([204, 302, 401]);
  });

  test("names an internationalised address in ASCII, on one line", async () => {
    const { client } = await signUpConfirmed(server(), { email: "Grete@bücher-straße.example" });
    const answer = await client.get("/verify");
    expectNoContent(answer);
    expect(header(answer, "remote-user")).toMatch(/^Grete@xn--[a-z0-9-]+\.example$/);
    for (const name of IDENTITY) expect(header(answer, name)).toMatch(/^[\x21-\x7e]+$/);
  });

  test.each([
    ["Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\n"],
    ["Transfer-Encoding: chunked\r\nContent-Length: 6", "0\r\n\r\n"],
    ["Content-Length: 0\r\nContent-Length: 48", ""],
    ["Content-Length: 0, 48", ""],
    ["Transfer-Encoding: xchunked", "0\r\n\r\n"],
    ["Transfer-Encoding : chunked", "0\r\n\r\n"],
    ["Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"],
    ["Content-Length: +5", ""],
    [" Content-Length: 5", ""],
  ])(
    "and any other: two lengths (%j) end the connection, and no second request is read",
    async (lines, body) => {
      const host = `localhost:${server().port}`;
      const hidden = `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      const answer = await exchangeBytes(
        server().port,
        `POST /verify HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n\r\n${body}${hidden}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 400/);
      expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(answer).not.toContain('"status":"ok"');
    },
  );
});
