import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client } from "../support/client.ts";
import { engineOf } from "../support/engines.ts";
import { freePort } from "../support/free-port.ts";
import { startServer, type TestServer } from "../support/server.ts";

/** Whether a node with a clock of its own is ready, and what it logs when it is asked. */
async function askNode(server: TestServer, aheadBy: number) {
  const port = await freePort();
  const options = {
    port,
    aheadBy,
    logLevel: "warn",
    baseUrl: server.baseUrl,
    databaseUrl: server.database.url,
    secretKey: server.secretKey,
    outbox: server.outbox.folder,
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "support", "second-process.ts")], {
    env: { PATH: process.env.PATH, LATCHKEY_TEST_OPTIONS: JSON.stringify(options) },
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  await once(child.stdout, "data");
  const { status, text } = await new Client({ baseUrl: server.baseUrl, port }).get("/readyz");
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await closed;
  return { status, text, log };
}

describe("A node whose clock is off the database's", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine: engineOf("postgres") });
  });
  afterAll(() => server.close());

  test("by nothing is ready, and says nothing", async () => {
    const { status, log } = await askNode(server, 0);
    expect([status, log]).toEqual([200, ""]);
  });

  test.each([3_000, -3_000])("by %i ms is ready, and warns", async (aheadBy) => {
    const { status, log } = await askNode(server, aheadBy);
    expect(status).toBe(200);
    expect(log).toContain("This node's clock is off the database's.");
    expect(log.trimEnd().split("\n")).toHaveLength(1);
  });

  test.each([61_000, -61_000])("by %i ms is not ready, and says by how much", async (aheadBy) => {
    const { status, text } = await askNode(server, aheadBy);
    expect(status).toBe(503);
    const { aheadMs } = JSON.parse(text) as { aheadMs: number };
    expect(Math.abs(aheadMs)).toBeGreaterThan(60_000);
  });
});
