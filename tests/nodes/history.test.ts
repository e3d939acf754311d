import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineNames } from "../support/databases/engine-names.ts";
import { engineOf } from "../support/databases/engines.ts";
import { startNodes } from "../support/servers/two-nodes.ts";
import { live, violations } from "./history.ts";

const SEED = Number(process.env.HISTORY_SEED ?? Math.floor(Math.random() * 1_000_000));

describe.runIf(engineNames().includes("postgres"))("Three processes on one PostgreSQL", () => {
  let nodes: Awaited<ReturnType<typeof startNodes>>;
  beforeAll(async () => {
    nodes = await startNodes(engineOf("postgres"), 3);
  });
  afterAll(() => nodes.stop());

  test("after the answer to an ending no check that starts later passes, on any node", async () => {
    const history = await live(nodes, { people: 5, steps: 20, seed: SEED });
    const passed = history.checks.filter((check) => check.passed).length;
    const { signedIn, ended, endedOthers, changedPassword } = history.did;
    console.log(
      `HISTORY_SEED=${SEED}: ${signedIn} sign-ins, ${ended} endings, ${endedOthers} of all others, ${changedPassword} password changes, ${history.checks.length} checks, of which ${passed} passed.`,
    );
    expect(violations(history)).toBe(0);
    expect(history.checks.length).toBeGreaterThan(1_000);
    expect(passed).toBeGreaterThan(200);
    for (const count of Object.values(history.did)) expect(count).toBeGreaterThan(0);
  }, 120_000);

  test("and such a history would reveal a look-up that gives every second check the previous answer", async () => {
    const { database } = nodes.server.latchkey.parts;
    const strict = database.lookUp;
    const seen = new Map<string, Awaited<ReturnType<typeof strict>>>();
    Object.assign(database, {
      async lookUp(tokens: readonly string[]) {
        const asked = tokens.join();
        const known = seen.get(asked);
        if (known !== undefined && seen.delete(asked)) return known;
        const found = await strict(tokens);
        seen.set(asked, found);
        return found;
      },
    });
    const history = await live(nodes, { people: 3, steps: 20, seed: SEED });
    Object.assign(database, { lookUp: strict });
    expect(violations(history)).toBeGreaterThan(0);
  }, 120_000);
});
