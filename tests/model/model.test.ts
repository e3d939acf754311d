import fc from "fast-check";
import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { serverFor } from "../support/servers/server.ts";
import { commands } from "./commands.ts";
import { IDLE, World } from "./world.ts";

const RUNS = 10;
/** The seed for fast-check: a failure prints it, with the steps that led there. */
const SEED = 20_261_127;

describeOnEachEngine(
  "Whatever two people do in five browsers, in whichever order, and whenever",
  (engine) => {
    const server = serverFor(engine, { rateLimits: "off", idleTimeout: `${IDLE / 86_400_000}d` });

    test("every token opens what it should, until the very moment it should, and says why it no longer does; lists have what is live, and nothing else", async () => {
      const run = await fc.check(
        fc.asyncProperty(commands, async (steps) => {
          const world = await World.on(server());
          await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
        }),
        { seed: SEED, numRuns: RUNS, endOnFailure: true },
      );
      const report = await fc.asyncDefaultReportMessage(run);
      expect(run.failed, `${report}\n${run.errorInstance}`).toBe(false);
    }, 600_000);
  },
);
