import { join } from "node:path";
import { exchange } from "../tests/support/requests/exchange.ts";
import { startInApp } from "./in-app.ts";
import { makeLoad } from "./load.ts";
import { plant, plantedCookie } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder, type Server } from "./server.ts";

const SMALL = 10_000;
const MIDDLE = [100_000, 1_000_000];
const LARGE = 10_000_000;
const HOT = 1_000;
const PER_ACCOUNT = 100;
const SLOPE = 1.15;
const SOON = 2; // ms
const LISTS_A_ROUND = 20;
const ENDINGS_A_ROUND = 5;

export const sizes: Bench = {
  about: "10 thousand sessions against 10 million (or --sessions): the check, the list, and endings; SQLite",
  rounds: 6,
  run: (options) => inFolder((folder) => measure(options, folder)),
};

type Sized = { size: number; server: Server; taken: Taken[] };
type Taken = { open: number; hot: number; random: number; list: number; one: number; others: number };

/** Each round loads all sizes in turn. The first round warms up. */
async function measure({ rounds, sessions = LARGE, progress }: Options, folder: string): Promise<Row[]> {
  const load = await makeLoad(folder);
  const ended = (rounds + 1) * ENDINGS_A_ROUND * PER_ACCOUNT;
  const sized: Sized[] = [];
  try {
    for (const size of [SMALL, ...MIDDLE.filter((middle) => middle < sessions), sessions]) {
      progress(`planting ${size} sessions`);
      const url = `sqlite:${join(folder, `${size}.db`)}`;
      await plant(url, { sessions: size, perAccount: PER_ACCOUNT });
      sized.push({ size, server: await startInApp(url, folder, size), taken: [] });
    }
    for (let round = 0; round <= rounds; round++) {
      for (const { size, server, taken } of sized) {
        progress(`round ${round} of ${rounds}: ${size} sessions`);
        const of = async (path: string, count: number, order: "turn" | "random") =>
          (await load(server, path, { count, order })).perSecond;
        const rates = {
          open: await of("/open", HOT, "turn"),
          hot: await of("/guarded", HOT, "turn"),
          random: await of("/guarded", size - ended, "random"),
        };
        const times = await accountTimes(server.port, size - ended, round);
        if (round > 0) taken.push({ ...rates, ...times });
      }
    }
    return [...slopes(sized), ...sized.flatMap(rowsOf)];
  } finally {
    for (const { server } of sized) await server.stop();
  }
}

/** The median of the list and of endings, in accounts that no check and no other round has touched. */
async function accountTimes(port: number, first: number, round: number) {
  const accounts = Array.from(
    { length: ENDINGS_A_ROUND },
    (_, index) => first + (round * ENDINGS_A_ROUND + index) * PER_ACCOUNT,
  );
  const list: number[] = [];
  const one: number[] = [];
  const others: number[] = [];
  for (let time = 0; time < LISTS_A_ROUND; time++)
    list.push(await timed(port, "GET", accounts[time % ENDINGS_A_ROUND] ?? 0, ""));
  for (const number of accounts) {
    one.push(await timed(port, "DELETE", number, `/s${String(number + 1).padStart(21, "0")}`));
    others.push(await timed(port, "DELETE", number, ""));
  }
  const median = (values: number[]) => summary(values).value;
  return { list: median(list), one: median(one), others: median(others) };
}

async function timed(port: number, method: string, number: number, which: string): Promise<number> {
  const headers = { Host: `localhost:${port}`, Cookie: plantedCookie(number) };
  const began = performance.now();
  const { status, text } = await exchange({ port, method, path: `/auth/api/sessions${which}`, headers });
  if (status >= 300) throw new Error(`${method} said ${status}: ${text}`);
  return performance.now() - began;
}

function slopes(sized: readonly Sized[]): Row[] {
  const small = sized[0]?.taken ?? [];
  const large = sized.at(-1);
  const slope = (of: (taken: Taken) => number) =>
    (large?.taken ?? []).map((taken, round) => of(taken) / of(small[round] ?? taken));
  const name = `${large?.size.toLocaleString("en")} sessions against ${SMALL.toLocaleString("en")}`;
  const row = (id: string, what: string, values: number[]): Row => ({
    id: `slope ${id}`,
    what: `${name}: ${what}`,
    ...summary(values),
    unit: "times",
    bound: { atMost: SLOPE },
  });
  return [
    row(
      "hot",
      `what a check costs, ${HOT.toLocaleString("en")} in turn`,
      slope(({ hot, open }) => open / hot),
    ),
    row(
      "list",
      "the list of 100 sessions",
      slope(({ list }) => list),
    ),
    row(
      "one",
      "ending one of 100",
      slope(({ one }) => one),
    ),
    row(
      "others",
      "ending the others of 100",
      slope(({ others }) => others),
    ),
  ];
}

function rowsOf({ size, taken }: Sized): Row[] {
  const name = `${size.toLocaleString("en")} sessions`;
  const share = (id: "hot" | "random", what: string): Row => ({
    id: `${id} ${size}`,
    what: `${name}, ${what}: share of the open route`,
    ...summary(taken.map((one) => one[id] / one.open)),
    unit: "",
    beside: `${Math.round(summary(taken.map((one) => one[id])).value).toLocaleString("en")} requests a second`,
  });
  const time = (id: "list" | "one" | "others", what: string): Row => ({
    id: `${id} ${size}`,
    what: `${name}, ${what}`,
    ...summary(taken.map((one) => one[id])),
    unit: "ms",
    bound: { atMost: SOON },
  });
  return [
    share("hot", `${HOT.toLocaleString("en")} in turn`),
    share("random", "at random"),
    time("list", "the list of 100 sessions"),
    time("one", "ending one of 100"),
    time("others", "ending the others of 100"),
  ];
}
