import { join } from "node:path";
import { exchange } from "../tests/support/requests/exchange.ts";
import { startInApp } from "./in-app.ts";
import { type Load, makeLoad } from "./load.ts";
import { plant } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder, type Server } from "./server.ts";

const HOT = 1_000;
const CLIENTS = 8;
const SECONDS = 2;
/**
 * In ms. Two loads that start at the same moment disturb each other: for a second, the 99th percentile is
 * five times as high.
 */
const UNDER_WAY = 500;
const OF_ARGON2ID = 0.95;
const LATE = 3;
const HELD_UP = 20; // ms
const PERSON = { email: "ada@example.test", password: "quartz-Lantern-burrow-58" };
const WRONG = { ...PERSON, password: "velvet-Harbour-thistle-23" };

export const signIns: Bench = {
  about:
    "sign-ins against argon2id alone, and checks during a flood of sign-ins or of refusals (429); SQLite",
  rounds: 6,
  run: (options) => inFolder((folder) => measure(options, folder)),
};

async function measure(options: Options, folder: string): Promise<Row[]> {
  const load = await makeLoad(folder);
  const flooded = async (name: string, limits: "on" | "off", work: Work) => {
    const url = `sqlite:${join(folder, `${name}.db`)}`;
    await plant(url, { sessions: HOT });
    const server = await startInApp(url, folder, HOT, { limits });
    try {
      await send(server.port, "/auth/api/accounts", PERSON);
      return await work(server, load, options);
    } finally {
      await server.stop();
    }
  };
  return [
    ...(await flooded("signed", "off", signInFlood)),
    ...(await flooded("refused", "on", refusalFlood)),
  ];
}

type Work = (server: Server, load: Load, options: Options) => Promise<Row[]>;

async function signInFlood(server: Server, load: Load, { rounds, progress }: Options): Promise<Row[]> {
  const shares: number[] = [];
  const heldUp: number[] = [];
  const late: Late[] = [];
  const signIn = () => send(server.port, "/auth/api/session", PERSON);
  for (let round = 0; round <= rounds; round++) {
    progress(`sign-ins: round ${round} of ${rounds}`);
    const alone = (await server.ask("hashes")) as number;
    await server.ask("delay");
    const signedIn = await floodWhile(signIn, () => wait(SECONDS * 1_000));
    const held = (await server.ask("delay")) as number;
    const both = await lateOf(server, load, signIn);
    if (round === 0) continue;
    shares.push(signedIn / alone);
    heldUp.push(held);
    late.push(both);
  }
  return [
    {
      id: "sign-ins",
      what: "sign-ins a second, as a share of the argon2id hashes that the machine makes",
      ...summary(shares),
      unit: "",
      bound: { atLeast: OF_ARGON2ID },
    },
    {
      id: "held up",
      what: "the longest that the event loop was blocked during a flood of sign-ins",
      ...summary(heldUp),
      unit: "ms",
      bound: { atMost: HELD_UP },
    },
    lateRow("sign-ins", late),
  ];
}

async function refusalFlood(server: Server, load: Load, { rounds, progress }: Options): Promise<Row[]> {
  const guess = () => send(server.port, "/auth/api/session", WRONG);
  while ((await guess()) !== 429);
  const late: Late[] = [];
  for (let round = 0; round <= rounds; round++) {
    progress(`refusals: round ${round} of ${rounds}`);
    const both = await lateOf(server, load, guess);
    if (round > 0) late.push(both);
  }
  return [lateRow("refusals", late)];
}

type Late = { quiet: number; flooded: number };

async function lateOf(server: Server, load: Load, flood: () => Promise<unknown>): Promise<Late> {
  const late = async () => (await load(server, "/guarded", { count: HOT, order: "turn" })).p99;
  const quiet = await late();
  let flooded = Number.NaN;
  await floodWhile(flood, async () => {
    await wait(UNDER_WAY);
    flooded = await late();
  });
  return { quiet, flooded };
}

function lateRow(flood: string, late: readonly Late[]): Row {
  const ms = (of: keyof Late) => summary(late.map((one) => one[of])).value.toFixed(1);
  return {
    id: `late ${flood}`,
    what: `the checks' 99th percentile during a flood of ${flood}, against that on an idle server`,
    ...summary(late.map(({ quiet, flooded }) => flooded / quiet)),
    unit: "times",
    bound: { atMost: LATE },
    beside: `${ms("quiet")} ms, then ${ms("flooded")} ms`,
  };
}

/** How many per second were answered. */
async function floodWhile(one: () => Promise<unknown>, during: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  let done = 0;
  const began = performance.now();
  const client = async () => {
    for (; !isOver; done++) await one();
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));
  await during();
  isOver = true;
  await clients;
  return (done * 1_000) / (performance.now() - began);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function send(port: number, path: string, body: unknown): Promise<number> {
  const headers = { Host: `localhost:${port}`, "Content-Type": "application/json" };
  const { status, text } = await exchange({
    port,
    method: "POST",
    path,
    headers,
    body: JSON.stringify(body),
  });
  if (status >= 500) throw new Error(`${path} said ${status}: ${text}`);
  return status;
}
