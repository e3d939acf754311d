import { join } from "node:path";
import { startPostgres } from "../tests/support/databases/postgres.ts";
import { type Load, type Measured, makeLoad, type Sessions } from "./load.ts";
import { plant } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder, type Server, startServer } from "./server.ts";

type Way = { path: string; order: Sessions["order"]; isUnguarded?: true };
type Shares = { SQLite: number; PostgreSQL: number };

const IN_TURN: Way[] = [
  { path: "/guarded", order: "turn" },
  { path: "/auth/verify", order: "turn" },
];
/** Behind two middlewares that do nothing: what can still be gained lies between this and the checks. */
const PASSED_ON: Way = { path: "/passed-on", order: "turn", isUnguarded: true };
const AT_RANDOM: Way[] = [{ path: "/guarded", order: "random" }];
const LATE = 3; // the 99th percentile, as a multiple of the median
const MILLION = 1_000_000;

export const check: Bench = {
  about: "requests a second behind a check as a share of the open route's, 1,000 sessions in turn",
  rounds: 8,
  run: (options) =>
    measureBoth(options, {
      ways: [...IN_TURN, PASSED_ON],
      sessions: 1_000,
      shares: { SQLite: 0.9, PostgreSQL: 0.8 },
    }),
};

export const random: Bench = {
  about: "the same, at random over a million sessions",
  rounds: 8,
  run: (options) =>
    measureBoth(options, { ways: AT_RANDOM, sessions: MILLION, shares: { SQLite: 0.6, PostgreSQL: 0.65 } }),
};

export const busy: Bench = {
  about: "the same as check, alongside 20 sign-ins and 100 last-used times a second",
  rounds: 8,
  run: (options) =>
    measureBoth(options, {
      ways: IN_TURN,
      sessions: 1_000,
      shares: { SQLite: 0.75, PostgreSQL: 0.65 },
      busy: true,
    }),
};

type Case = { ways: Way[]; sessions: number; shares: Shares; busy?: boolean };

async function measureBoth(options: Options, what: Case): Promise<Row[]> {
  const postgres = await startPostgres();
  try {
    return await inFolder(async (folder) => {
      const load = await makeLoad(folder);
      const measure = async (engine: keyof Shares, url: string) => {
        const count = options.sessions ?? what.sessions;
        options.progress(`${engine}: planting ${count} sessions`);
        await plant(url, { sessions: count });
        const server = await startInApp(url, folder, count, { busy: what.busy ?? false });
        const rows = await measureWays(options, { ...what, engine, load, server, count });
        await server.stop();
        return rows;
      };
      return [
        ...(await measure("SQLite", `sqlite:${join(folder, "latchkey.db")}`)),
        ...(await measure("PostgreSQL", postgres.url)),
      ];
    });
  } finally {
    await postgres.stop();
  }
}

type More = { busy?: boolean; limits?: "on" | "off"; port?: number; scheme?: "http" | "https" };

/** Latchkey in a Hono app, on a planted database. */
export function startInApp(
  url: string,
  folder: string,
  sessions: number,
  { busy = false, limits = "on", port, scheme = "http" }: More = {},
): Promise<Server> {
  const settings = {
    BENCH_DATABASE: url,
    BENCH_FOLDER: folder,
    BENCH_SESSIONS: String(sessions),
    BENCH_LIMITS: limits,
    BENCH_SCHEME: scheme,
    ...(busy ? { BENCH_BUSY: "yes" } : {}),
  };
  return startServer("in-app-server.ts", settings, port);
}

type Measuring = Case & { engine: keyof Shares; load: Load; server: Server; count: number };

/**
 * Each round loads all routes in turn, so that the machine's other work affects them alike. The first one
 * warms up.
 */
async function measureWays(
  { rounds, progress }: Options,
  { ways, engine, shares, load, server, count }: Measuring,
): Promise<Row[]> {
  const taken = ways.map((): { share: number; open: Measured; at: Measured }[] => []);
  for (let round = 0; round <= rounds; round++) {
    progress(`${engine}: round ${round} of ${rounds}`);
    const open = await load(server, "/open", { count, order: "turn" });
    for (const [index, { path, order }] of ways.entries()) {
      const at = await load(server, path, { count, order });
      if (round > 0) taken[index]?.push({ share: at.perSecond / open.perSecond, open, at });
    }
  }
  return ways.flatMap(({ path, order, isUnguarded }, index) => {
    const rows = taken[index] ?? [];
    const name = `${engine}, ${path}, ${count.toLocaleString("en")} sessions ${order === "turn" ? "in turn" : "at random"}`;
    const id = `${engine} ${path} ${order}`;
    const perSecond = summary(rows.map(({ at }) => at.perSecond)).value;
    const cpu = (of: "at" | "open") => summary(rows.map((row) => row[of].cpu)).value.toFixed(0);
    return [
      {
        id,
        what: `${name}: share of the open route`,
        ...summary(rows.map(({ share }) => share)),
        unit: "",
        ...(isUnguarded ? {} : { bound: { atLeast: shares[engine] } }),
        beside: `${Math.round(perSecond).toLocaleString("en")} requests a second; ${cpu("at")} µs of the app's processor a request, ${cpu("open")} unguarded`,
      },
      {
        id: `${id} late`,
        what: `${name}: 99th percentile, in medians`,
        ...summary(rows.map(({ at }) => at.p99 / at.p50)),
        unit: "",
        ...(isUnguarded ? {} : { bound: { atMost: LATE } }),
        beside: `${summary(rows.map(({ at }) => at.p99)).value.toFixed(1)} ms`,
      },
    ];
  });
}
