import { afterAll, beforeAll, describe } from "vitest";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import type { Answer } from "../support/requests/answers.ts";
import { Client } from "../support/requests/client.ts";
import { exchange, type Headers } from "../support/requests/exchange.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { freePort } from "../support/servers/free-port.ts";
import { type ServerOptions, startServer, type TestServer } from "../support/servers/server.ts";
import { AppBehind } from "./app-behind.ts";
import { type Example, startExample } from "./examples.ts";
import { PROXIES } from "./proxies.ts";

export type Asked = { method?: string; headers?: Headers; body?: string | Uint8Array };

/** An app behind a proxy that asks Latchkey, with a real program in the middle. */
export type Behind = {
  readonly app: AppBehind;
  /** Latchkey; its browsers come through the proxy. */
  readonly server: TestServer;
  readonly proxyPort: number;
  readonly origin: string;
  /** Requests something from the app, with a browser's cookies; `null` is a stranger. */
  ask(client: Client | null, path: string, asked?: Asked): Promise<Answer>;
  stop(): Promise<void>;
};

export type BehindOptions = Partial<Omit<ServerOptions, "database">> & {
  database?: TestDatabase;
  /** The port of another app, which is then the one behind the proxy. */
  appPort?: number;
  /** Settings that name the proxy's port. */
  atPort?: (proxyPort: number) => Partial<ServerOptions>;
};

export async function startBehind(
  kind: Example,
  program: string,
  { database, appPort, atPort, ...options }: BehindOptions = {},
): Promise<Behind> {
  const proxyPort = await freePort();
  const origin = `http://localhost:${proxyPort}`;
  const app = await AppBehind.start();
  const direct = await startServer({
    engine: engineOf("sqlite"),
    baseUrl: `${origin}/auth`,
    trustedProxies: "127.0.0.1",
    ...options,
    ...atPort?.(proxyPort),
    ...(database ? { database } : {}),
  });
  const proxy = await startExample(kind, program, "proxy", {
    proxy: proxyPort,
    latchkey: direct.port,
    app: appPort ?? app.port,
  });
  let closed: Promise<void> | undefined;
  const server: TestServer = {
    ...direct,
    // A test may have closed it before.
    close: () => (closed ??= direct.close()),
    client: (userAgent) => new Client({ baseUrl: direct.baseUrl, port: proxyPort, userAgent }),
  };
  return {
    app,
    server,
    proxyPort,
    origin,
    ask: (client, path, { method = "GET", headers = {}, body } = {}) =>
      exchange({
        port: proxyPort,
        method,
        path,
        headers: {
          Host: `localhost:${proxyPort}`,
          Accept: "application/json",
          ...(client ? { Cookie: client.jar.header() } : {}),
          ...headers,
        },
        body,
      }),
    async stop() {
      await proxy.stop();
      await server.close();
      await app.stop();
    },
  };
}

/** The same suite behind each real proxy; one that isn't available is skipped, which is reported. */
export async function describeBehindEachProxy(
  name: string,
  suite: (behind: () => Behind, kind: Example, program: string) => void,
  options: BehindOptions = {},
): Promise<void> {
  for (const kind of PROXIES) {
    const program = await systemProgram(kind.name, kind.debianPackage);
    describe.skipIf(program === null)(`${name} (${kind.name})`, () => {
      let behind: Behind | undefined;
      beforeAll(async () => {
        behind = await startBehind(kind, program ?? "", options);
      });
      afterAll(() => behind?.stop());
      suite(
        () => {
          if (!behind) throw new Error("The proxy runs in tests only.");
          return behind;
        },
        kind,
        program ?? "",
      );
    });
  }
}
