import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { Client } from "./client.ts";
import type { Engine } from "./engines.ts";
import { freePort } from "./free-port.ts";
import { startServer, type TestServer } from "./server.ts";

export type TwoNodes = {
  readonly server: TestServer;
  /** A browser that talks to the first node, or to the one in the other process. */
  browser(node: number, userAgent?: string): Client;
};

/** Two servers on one database, the second in a process of its own: only so a race between them is one. */
export function twoNodesFor(engine: Engine): () => TwoNodes {
  let server: TestServer | undefined;
  let other: { child: ChildProcess; port: number } | undefined;
  beforeAll(async () => {
    server = await startServer({ engine, rateLimits: "off" });
    const port = await freePort();
    const options = {
      port,
      baseUrl: server.baseUrl,
      databaseUrl: server.database.url,
      secretKey: server.secretKey,
      outbox: server.outbox.folder,
      rateLimits: "off",
    };
    const child = spawn(process.execPath, [join(import.meta.dirname, "second-process.ts")], {
      env: { PATH: process.env.PATH, LATCHKEY_TEST_OPTIONS: JSON.stringify(options) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    other = { child, port };
  });
  afterAll(async () => {
    if (other) {
      const closed = once(other.child, "close");
      other.child.kill("SIGTERM");
      await closed;
    }
    await server?.close();
  });
  return () => {
    if (!server || !other) throw new Error("The nodes run in tests only.");
    const first = server;
    const ports = [first.port, other.port];
    return {
      server: first,
      browser: (node, userAgent) =>
        new Client({ baseUrl: first.baseUrl, port: ports[node % 2] ?? first.port, userAgent }),
    };
  };
}
