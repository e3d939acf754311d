import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { twoNodesFor } from "../support/servers/two-nodes.ts";
import { oidc, raceForTheLast } from "./guard.ts";

const ROUNDS = 25;

describeOnEachEngine("The last two login methods, disconnected at once from two processes", (engine) => {
  const nodes = twoNodesFor(engine, { oidc });

  test("leave one that works, always (S15)", async () => {
    const { disconnected, refused, problems } = await raceForTheLast(nodes(), ROUNDS);
    expect(problems).toEqual([]);
    expect(disconnected).toBe(ROUNDS);
    expect(refused).toBeGreaterThan(0);
  });
});
