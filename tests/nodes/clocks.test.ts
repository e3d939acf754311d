import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

/** Whether a node with its own clock is ready, and what it logs unasked and when asked. */
async function askNode(server: TestServer, aheadBy: number) {
  const node = await startInOwnProcess({
    aheadBy,
    logLevel: "warn",
    databaseUrl: server.database.url,
    outbox: server.outbox.folder,
  });
  if (aheadBy !== 0) await node.hasSaid("This node's clock differs from the database's.");
  const { status, text } = await node.client().get("/readyz");
  await node.stop();
  return { status, text, log: node.log() };
}

describe("A node whose clock differs from the database's", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine: engineOf("postgres") });
  });
  afterAll(() => server.close());

  test("by nothing is ready, and says nothing", async () => {
    const { status, log } = await askNode(server, 0);
    expect([status, log]).toEqual([200, []]);
  });

  test.each([3_000, -3_000])("by %i ms is ready, and warns once, unasked", async (aheadBy) => {
    const { status, log } = await askNode(server, aheadBy);
    expect(status).toBe(200);
    expect(log).toHaveLength(1);
  });

  test.each([61_000, -61_000])("by %i ms is not ready, and says by how much", async (aheadBy) => {
    const { status, text } = await askNode(server, aheadBy);
    expect(status).toBe(503);
    const { aheadMs } = JSON.parse(text) as { aheadMs: number };
    expect(Math.abs(aheadMs)).toBeGreaterThan(60_000);
  });

  test("by nothing isn't blamed for a database that answers late", async () => {
    const proxy = await FaultProxy.start(new URL(server.database.url));
    const url = proxy.through(server.database.url);
    const node = await startServer({
      engine: engineOf("postgres"),
      database: { ...server.database, url },
    });
    await expect.poll(async () => (await node.client().get("/readyz")).status).toBe(200);
    proxy.fault = "late";
    expect((await node.client().get("/readyz")).body).toEqual({ status: "ok" });
    expect(await node.latchkey.parts.clockAhead()).toBe(0);
    proxy.fault = "none";
    await node.close();
    await proxy.stop();
  });
});
