import { join } from "node:path";
import { startPostgres } from "../tests/support/databases/postgres.ts";
import { startInApp } from "./in-app.ts";
import { type Load, makeLoad } from "./load.ts";
import { plant } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder, type Server } from "./server.ts";

const HOT = 1_000;
const SESSIONS = 1_000_000;
const EXPIRED = 10; // one in this many
const ROWS_A_SECOND = 100_000;
const LATE = 2;

/**
 * Rounds are seconds of checks: this many before, and while it prunes as many as it takes, at most this
 * multiple of them.
 */
const MOST_ROUNDS = 3;

export const prune: Bench = {
  about: "a tenth of a million sessions (or of --sessions) pruned while checks run, on both engines",
  rounds: 8,
  async run(options) {
    const postgres = await startPostgres();
    try {
      return await inFolder(async (folder) => {
        const load = await makeLoad(folder);
        const sqlite = `sqlite:${join(folder, "latchkey.db")}`;
        return [
          ...(await measure(options, "SQLite", sqlite, folder, load)),
          ...(await measure(options, "PostgreSQL", postgres.url, folder, load)),
        ];
      });
    } finally {
      await postgres.stop();
    }
  },
};

type Pruned = { sessions: number; ms: number };

async function measure(
  { rounds, sessions = SESSIONS, progress }: Options,
  engine: "SQLite" | "PostgreSQL",
  url: string,
  folder: string,
  load: Load,
): Promise<Row[]> {
  const expired = Math.floor(sessions / EXPIRED);
  progress(`${engine}: planting ${sessions} sessions`);
  await plant(url, { sessions, expired, perAccount: 100 });
  const server = await startInApp(url, folder, sessions);
  const late = async () =>
    (await load(server, "/guarded", { count: HOT, first: expired, order: "turn" })).p99;
  try {
    await late();
    const quiet: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      progress(`${engine}: quiet second ${round} of ${rounds}`);
      quiet.push(await late());
    }
    progress(`${engine}: pruning alone`);
    const alone = (await server.ask("pruneSome")) as Pruned;
    const { busy, pruned } = await besides(server, late, rounds * MOST_ROUNDS, (round) =>
      progress(`${engine}: pruning alongside checks, second ${round}`),
    );
    return rowsOf(engine, { quiet, busy, alone, pruned });
  } finally {
    await server.stop();
  }
}

/** The checks of each second until everything is pruned, or the seconds are over. */
async function besides(
  server: Server,
  late: () => Promise<number>,
  most: number,
  tell: (round: number) => void,
) {
  let pruned: Pruned | undefined;
  const pruning = server.ask("prune").then((told) => {
    pruned = told as Pruned;
  });
  const busy: number[] = [];
  while (pruned === undefined && busy.length < most) {
    tell(busy.length + 1);
    busy.push(await late());
  }
  await pruning;
  return { busy, pruned: pruned ?? { sessions: 0, ms: 0 } };
}

type Taken = { quiet: number[]; busy: number[]; alone: Pruned; pruned: Pruned };

function rowsOf(engine: string, { quiet, busy, alone, pruned }: Taken): Row[] {
  const rate = ({ sessions, ms }: Pruned) => (sessions * 1_000) / ms;
  const before = summary(quiet).value;
  const besideChecks = {
    id: `${engine} rate beside`,
    what: `${engine}: sessions pruned a second, alongside as many checks as it answers`,
    value: rate(pruned),
    spread: 0,
    unit: "",
    beside: `${pruned.sessions.toLocaleString("en")} sessions, measured once`,
  };
  const bound = engine === "SQLite" ? { bound: { atLeast: ROWS_A_SECOND } } : {};
  return [
    {
      id: `${engine} rate`,
      what: `${engine}: sessions pruned a second, alone`,
      value: rate(alone),
      spread: 0,
      unit: "",
      ...bound,
      beside: `${alone.sessions.toLocaleString("en")} sessions, measured once`,
    },
    ...(pruned.sessions === 0 ? [] : [besideChecks]),
    {
      id: `${engine} late`,
      what: `${engine}: the checks' 99th percentile while it prunes, against that before`,
      ...summary(busy.map((ms) => ms / before)),
      unit: "times",
      bound: { atMost: LATE },
      beside: `${before.toFixed(1)} ms, then ${summary(busy).value.toFixed(1)} ms`,
    },
  ];
}
