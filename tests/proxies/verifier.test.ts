import { once } from "node:events";
import { createServer, type OutgoingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchange, exchangeBytes } from "../support/requests/exchange.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { freePort } from "../support/servers/free-port.ts";
import { AppBehind } from "./app-behind.ts";
import { type Running, startExample } from "./examples.ts";
import { NGINX, PROXIES } from "./proxies.ts";

const SOMEBODY = { "Remote-User": "a@example.test", "Remote-Account": "acc", "Remote-Session": "ses" };
const { "Remote-User": _, ...NO_ADDRESS } = SOMEBODY;
const { "Remote-Session": _session, ...NO_SESSION } = SOMEBODY;
const { "Remote-Account": _account, ...NO_ACCOUNT } = SOMEBODY;

/** Where the imported cookie's name goes, as the configurations say. */
const MOVING_IN: Record<string, [said: string, written: string]> = {
  "nginx.conf": ["?latchkey[^;]*+", "?(?:latchkey|authjs\\.session-token)[^;]*+"],
  "sub-domains.conf": ["?latchkey[^;]*+", "?(?:latchkey|authjs\\.session-token)[^;]*+"],
  Caddyfile: ["?latchkey[^;]*", "?(?:latchkey|authjs\\.session-token)[^;]*"],
  "auth-request.lua": ['{ "latchkey" }', '{ "latchkey", "authjs.session-token" }'],
};

for (const kind of [...PROXIES, { ...NGINX, file: "sub-domains.conf" }]) {
  const program = await systemProgram(kind.name, kind.debianPackage);
  describe.skipIf(program === null)(`What a proxy makes of an answer from /verify (${kind.file})`, () => {
    let answer: { status: number; headers?: OutgoingHttpHeaders } = { status: 204 };
    const verifier = createServer((_request, response) => {
      response.writeHead(answer.status, answer.headers);
      response.end(answer.status === 204 || answer.status === 304 ? undefined : "Hello from something else");
    });
    let app: AppBehind;
    let proxy: Running;
    let port = 0;
    let host = "";
    beforeAll(async () => {
      verifier.listen(0, "127.0.0.1");
      await once(verifier, "listening");
      const address = verifier.address();
      const latchkey = typeof address === "object" && address ? address.port : 0;
      port = await freePort();
      host = `${kind.file === "sub-domains.conf" ? "app.example.localhost" : "localhost"}:${port}`;
      app = await AppBehind.start();
      const ports = { proxy: port, latchkey, app: app.port };
      proxy = await startExample(kind, program ?? "", "proxy", ports, MOVING_IN);
    });
    afterAll(async () => {
      await proxy?.stop();
      await app?.stop();
      verifier.closeAllConnections();
      verifier.close();
    });
    const ask = (headers: OutgoingHttpHeaders = {}) =>
      exchange({ port, method: "GET", path: "/notes", headers: { Host: host, ...headers } });

    test("lets a 204 that names an account through, with its cookie for the browser, and no imported cookie", async () => {
      answer = { status: 204, headers: { ...SOMEBODY, "Set-Cookie": "latchkey=new; Path=/; HttpOnly" } };
      const Cookie = "authjs.session-token=old; a=1; latchkey=x; __Secure-authjs.session-token=old; b=2";
      const through = await ask({ Cookie });
      expect(through).toMatchObject({ status: 200, setCookies: ["latchkey=new; Path=/; HttpOnly"] });
      expect(app.last.headers).toMatchObject({ "remote-account": "acc", "remote-session": "ses" });
      expect((app.last.headers.cookie ?? "").replace(/; $/, "")).toBe("a=1; b=2");
      answer = { status: 204, headers: SOMEBODY };
      expect(await ask()).toMatchObject({ status: 200, setCookies: [] });
    });

    test.each([NO_ADDRESS, { ...NO_ADDRESS, "Remote-User": "" }])(
      "lets an account through whose address isn't confirmed, without the address: %j",
      async (headers) => {
        answer = { status: 204, headers };
        expect(await ask({ "Remote-User": "root@example.test" })).toMatchObject({ status: 200 });
        expect(app.last.headers).toMatchObject({ "remote-account": "acc", "remote-session": "ses" });
        expect(app.last.headers).not.toHaveProperty("remote-user");
      },
    );

    test.each([
      { status: 200 },
      { status: 200, headers: SOMEBODY },
      { status: 202, headers: SOMEBODY },
      { status: 204 },
      { status: 204, headers: NO_SESSION },
      { status: 204, headers: NO_ACCOUNT },
      { status: 200, headers: NO_ADDRESS },
      { status: 204, headers: { ...SOMEBODY, "Remote-Account": "" } },
      { status: 304, headers: SOMEBODY },
      { status: 403 },
      { status: 404, headers: SOMEBODY },
      { status: 500 },
    ])("lets nobody through on %j: that is 503", async (given) => {
      answer = given;
      const before = app.heard.length;
      const refused = await ask();
      expect(refused.status, refused.text).toBe(503);
      expect(refused.text).toContain("nobody was logged out");
      expect(refused.headers).toMatchObject({ "retry-after": "2", "cache-control": "no-store" });
      expect(app.heard).toHaveLength(before);
    });

    test("upgrades to a WebSocket, in any spelling, and to nothing else", async () => {
      answer = { status: 204, headers: SOMEBODY };
      const upgraded = (lines: string) =>
        exchangeBytes(
          port,
          `GET /chat HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
          /\r\n\r\n/,
        );
      const before = app.heard.length;
      for (const name of ["websocket", "WebSocket"])
        expect(await upgraded(`Upgrade: ${name}\r\nConnection: keep-alive, Upgrade`)).toMatch(
          /^HTTP\/1.1 101/,
        );
      for (const lines of [
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c\r\nConnection: Upgrade",
        "Upgrade: TLS/1.0\r\nConnection: Upgrade",
        "Upgrade: websocketx\r\nConnection: Upgrade",
      ])
        expect(await upgraded(lines), lines).not.toMatch(/^HTTP\/1.1 101/);
      await upgraded("Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade");
      await upgraded("Upgrade: websocket, h2c\r\nConnection: Upgrade");
      const asked = app.heard.slice(before).flatMap(({ headers }) => headers.upgrade?.toLowerCase() ?? []);
      expect(asked.length).toBeGreaterThanOrEqual(2);
      expect(new Set(asked)).toEqual(new Set(["websocket"]));
    });

    test("also answers 503 if the app is down", async () => {
      answer = { status: 204, headers: SOMEBODY };
      await app.stop();
      expect((await ask()).status).toBe(503);
    });
  });
}
