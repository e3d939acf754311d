import { expect, test } from "vitest";
import { exchangeBytes } from "../support/requests/exchange.ts";
import { signUp } from "../support/requests/people.ts";
import { describeBehindEachProxy } from "./behind.ts";

const LONG = "a".repeat(65_536);

await describeBehindEachProxy("A malformed request, behind a proxy", (behind) => {
  test.each([
    "/%zz",
    "/notes%",
    "/notes%00",
    "/notes\0",
    "//",
    "//notes",
    "/\\",
    "\\notes",
    "/auth\\..\\notes",
    "/auth/..;/notes",
    "/auth/%2e%2e%2fnotes",
    "/auth/%252e%252e/notes",
    "/auth/\xff\xfe",
    "/?\xe2\x80\xa8",
    "*",
    "notes",
    "",
    "http://127.0.0.1/notes",
    "http://evil.example/auth/../notes",
    "http://[/notes",
    "https://localhost/notes",
    `/${LONG}`,
    `/?x=${LONG}`,
    `/auth/../${LONG}`,
  ])("for %j never reaches the app for a stranger", async (target) => {
    const { app, proxyPort } = behind();
    const before = app.heard.length;
    for (const method of ["GET", "POST", "OPTIONS"]) {
      const bytes = `${method} ${target} HTTP/1.1\r\nHost: localhost:${proxyPort}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
      const answer = await exchangeBytes(proxyPort, Buffer.from(bytes, "latin1"));
      expect(answer).not.toContain("Hello");
    }
    expect(app.heard).toHaveLength(before);
  });

  test("with two lengths brings no second request past the question", async () => {
    const { server, app, ask, proxyPort } = behind();
    const { client } = await signUp(server);
    const before = app.heard.length;
    const hidden = `GET /hidden HTTP/1.1\r\nHost: localhost:${proxyPort}\r\nRemote-Account: root\r\n\r\n`;
    const chunked = `0\r\n\r\n${hidden}`;
    const inChunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
    for (const path of ["/notes", "/auth/login"])
      for (const [lines, body] of [
        [`Content-Length: ${chunked.length}\r\nTransfer-Encoding: chunked`, chunked],
        [`Transfer-Encoding: chunked\r\nContent-Length: 4`, inChunk],
        [`Content-Length: ${chunked.length}\r\nTransfer-Encoding: xchunked`, chunked],
        [`Content-Length: ${chunked.length}\r\nTransfer-Encoding : chunked`, chunked],
        [`Content-Length: ${chunked.length}\r\nTransfer-Encoding: chunked, identity`, chunked],
        [`Content-Length: 0\r\nContent-Length: ${hidden.length}`, hidden],
        [`Content-Length: ${hidden.length}\r\nContent-Length: 0`, hidden],
        [`Content-Length: 0,${hidden.length}`, hidden],
      ]) {
        const head = `POST ${path} HTTP/1.1\r\nHost: localhost:${proxyPort}\r\nCookie: ${client.jar.header()}\r\n${lines}\r\n\r\n`;
        const next = `GET /auth/login HTTP/1.1\r\nHost: localhost:${proxyPort}\r\nConnection: close\r\n\r\n`;
        await exchangeBytes(proxyPort, `${head}${body}${next}`);
      }
    // If one were left over on a kept-alive connection, these would get its answer.
    for (let times = 0; times < 3; times += 1) expect((await ask(client, "/notes")).text).toContain("/notes");
    expect(app.heard.slice(before).map(({ path }) => path)).not.toContain("/hidden");
    expect(app.heard.map(({ headers }) => headers["remote-account"])).not.toContain("root");
  });
});
