import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { Engine } from "../databases/engines.ts";
import { Client } from "../requests/client.ts";
import { freePort } from "./free-port.ts";
import { type ServerOptions, startServer, type TestServer } from "./server.ts";

/** The settings of all nodes. */
type NodeOptions = Pick<ServerOptions, "rateLimits" | "signUp" | "oidc">;

export type TwoNodes = {
  readonly server: TestServer;
  /** A browser that talks to the first node, or to one in another process. */
  browser(node: number, userAgent?: string): Client;
};

/** Two servers on one database, the second in a separate process: only then is a race between them real. */
export const startTwoNodes = (engine: Engine, more: NodeOptions = {}) => startNodes(engine, 2, more);

/** This many servers on one database, each in its own process, the first one in this. */
export async function startNodes(
  engine: Engine,
  count: number,
  more: NodeOptions = {},
): Promise<TwoNodes & { stop(): Promise<void> }> {
  const server = await startServer({ engine, rateLimits: "off", ...more });
  const ports = [server.port];
  const children: ChildProcess[] = [];
  for (let node = 1; node < count; node++) {
    const port = await freePort();
    const child = startAnother(server, port, more);
    if (child.stdout) await once(child.stdout, "data");
    children.push(child);
    ports.push(port);
  }
  return {
    server,
    browser: (node, userAgent) =>
      new Client({ baseUrl: server.baseUrl, port: ports[node % count] ?? server.port, userAgent }),
    async stop() {
      for (const child of children) {
        const closed = once(child, "close");
        child.kill("SIGTERM");
        await closed;
      }
      await server.close();
    },
  };
}

/** Two nodes for all the tests of a suite. */
export function twoNodesFor(engine: Engine, more: NodeOptions = {}): () => TwoNodes {
  let nodes: Awaited<ReturnType<typeof startTwoNodes>> | undefined;
  beforeAll(async () => {
    nodes = await startTwoNodes(engine, more);
  });
  afterAll(() => nodes?.stop());
  return () => {
    if (!nodes) throw new Error("The nodes run in tests only.");
    return nodes;
  };
}

function startAnother(server: TestServer, port: number, more: NodeOptions = {}): ChildProcess {
  const options = {
    port,
    baseUrl: server.baseUrl,
    databaseUrl: server.database.url,
    secretKey: server.secretKey,
    outbox: server.outbox.folder,
    rateLimits: "off",
    ...more,
  };
  return spawn(process.execPath, [join(import.meta.dirname, "second-process.ts")], {
    env: { PATH: process.env.PATH, LATCHKEY_TEST_OPTIONS: JSON.stringify(options) },
    stdio: ["ignore", "pipe", "inherit"],
  });
}
