import { join } from "node:path";
import { startInApp } from "./in-app.ts";
import { makeLoad } from "./load.ts";
import { plant } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder } from "./server.ts";

const SESSIONS = 1_000;

export const workers: Bench = {
  about: "two processes on one port and one SQLite file, against one process: checks and the open route",
  rounds: 6,
  run: (options) => inFolder((folder) => measure(options, folder)),
};

/** One process has a port to itself, two share another; all three have one file. The first round warms up. */
async function measure({ rounds, progress }: Options, folder: string): Promise<Row[]> {
  const load = await makeLoad(folder);
  const url = `sqlite:${join(folder, "latchkey.db")}`;
  await plant(url, { sessions: SESSIONS });
  const alone = await startInApp(url, folder, SESSIONS);
  const first = await startInApp(url, folder, SESSIONS);
  const second = await startInApp(url, folder, SESSIONS, { port: first.port });
  try {
    const taken: { open: number; guarded: number }[] = [];
    for (let round = 0; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      const gain = async (path: string) => {
        const sessions = { count: SESSIONS, order: "turn" } as const;
        const one = await load(alone, path, sessions);
        return (await load(first, path, sessions)).perSecond / one.perSecond;
      };
      const both = { open: await gain("/open"), guarded: await gain("/guarded") };
      if (round > 0) taken.push(both);
    }
    return [row("open", "the open route", taken), row("guarded", "behind a check", taken)];
  } finally {
    for (const server of [alone, first, second]) await server.stop();
  }
}

function row(id: "open" | "guarded", what: string, taken: readonly Record<typeof id, number>[]): Row {
  return {
    id,
    what: `${what}: requests a second of two processes, as a multiple of one's`,
    ...summary(taken.map((one) => one[id])),
    unit: "times",
  };
}
