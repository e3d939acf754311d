import { queryObjects } from "node:v8";
import { expect, test, vi } from "vitest";
import { listenTarget, listenToOtherNodes } from "../../src/database/postgres/listener.ts";
import { engineOf } from "../support/databases/engines.ts";

const ASKED = 500;
const asked = vi.hoisted(() => ({ times: 0 }));

// The pause between two heartbeats takes no time, as often as the test wants.
vi.mock("node:timers/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:timers/promises")>();
  return {
    ...original,
    setTimeout: (ms: number, ...more: [unknown, { signal?: AbortSignal }]) => {
      asked.times += 1;
      return original.setTimeout(asked.times > ASKED ? ms : 0, ...more);
    },
  };
});

const promises = () => queryObjects(Promise, { format: "count" });

test("The connection for announcements uses no memory for its heartbeats", async () => {
  const database = await engineOf("postgres").createDatabase();
  const before = promises();
  const stop = listenToOtherNodes(
    listenTarget(database.url, null),
    "this node",
    () => {},
    () => {},
  );
  await expect.poll(() => asked.times).toBeGreaterThan(ASKED);
  expect(promises() - before).toBeLessThan(ASKED / 2);
  await stop();
  await database.drop();
});
