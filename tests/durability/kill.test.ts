import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { killUnderLoad } from "./kill.ts";

/** `npm run check:kill` runs 500; this many are enough to show that it can fail. */
const ROUNDS = 8;

it("a server killed under load has forgotten no ending that it answered, and left nothing half done", async () => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-kill-"));
  const killed = await killUnderLoad(folder, ROUNDS);
  expect(killed.problems).toEqual([]);
  expect(killed.rounds).toBe(ROUNDS);
  expect(killed.endingsAnswered).toBeGreaterThan(0);
  await rm(folder, { recursive: true, force: true });
}, 120_000);
