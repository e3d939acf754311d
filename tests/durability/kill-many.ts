import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killUnderLoad } from "./kill.ts";

/** `npm run check:kill`: 500 rounds, or as many as are asked for. */
const rounds = Number(process.argv[2] ?? 500);
const folder = await mkdtemp(join(tmpdir(), "latchkey-kill-"));
const began = Date.now();
const killed = await killUnderLoad(folder, rounds);
await rm(folder, { recursive: true, force: true });
console.log(
  `${killed.rounds} kills, ${killed.endingsAnswered} endings answered before them, ${killed.problems.length} problems (${Math.round((Date.now() - began) / 1_000)} s)`,
);
for (const problem of killed.problems) console.log(problem);
process.exit(killed.problems.length > 0 ? 1 : 0);
