import { type ClientRequest, request } from "node:http";
import { join } from "node:path";
import { exchange } from "../tests/support/requests/exchange.ts";
import { startInApp } from "./in-app.ts";
import { makeLoad } from "./load.ts";
import { plant, plantedCookie } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder, type Server } from "./server.ts";

const STREAMS = 10_000;
const PER_ACCOUNT = 100;
const AT_ONCE = 50;
const HOT = 1_000;
const KEPT = 0.95;

export const live: Bench = {
  about:
    "10,000 open streams (or as many as --sessions): memory, notifying the streams of an account, checks meanwhile",
  rounds: 6,
  run: (options) => inFolder((folder) => measure(options, folder)),
};

type Stream = { number: number; heard(): Promise<number>; close(): void };

async function measure({ rounds, sessions = STREAMS, progress }: Options, folder: string): Promise<Row[]> {
  const load = await makeLoad(folder);
  const url = `sqlite:${join(folder, "latchkey.db")}`;
  progress(`planting ${sessions} sessions`);
  await plant(url, { sessions: sessions + HOT, perAccount: PER_ACCOUNT });
  const server = await startInApp(url, folder, sessions + HOT);
  const share = async () => {
    const of = async (path: string) =>
      (await load(server, path, { count: HOT, first: sessions, order: "turn" })).perSecond;
    const open = await of("/open");
    return (await of("/guarded")) / open;
  };
  const shares = async (when: string) => {
    const taken: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      progress(`checks ${when}, round ${round} of ${rounds}`);
      taken.push(await share());
    }
    return taken.slice(1);
  };
  try {
    const without = await shares("without streams");
    const before = Number(await server.ask("memory"));
    progress(`opening ${sessions} streams`);
    const streams = await openAll(server.port, sessions);
    const bytes = (Number(await server.ask("memory")) - before) / sessions;
    const beside = await shares("alongside the streams");
    progress("ending all other sessions of accounts");
    const told: number[] = [];
    for (let round = 0; round < rounds; round++) told.push(await tell(server, streams, round * PER_ACCOUNT));
    for (const stream of streams) stream.close();
    return rowsOf({ sessions, without, beside, bytes, told });
  } finally {
    await server.stop();
  }
}

type Taken = { sessions: number; without: number[]; beside: number[]; bytes: number; told: number[] };

function rowsOf({ sessions, without, beside, bytes, told }: Taken): Row[] {
  const before = summary(without);
  return [
    {
      id: "memory",
      what: `memory per stream, of ${sessions.toLocaleString("en")}`,
      value: bytes / 1_024,
      spread: 0,
      unit: "kB",
      beside: "resident memory of the server, measured once",
    },
    {
      id: "told",
      what: 'from a person\'s "Log out other devices" until the last of 99 open pages has been told',
      ...summary(told),
      unit: "ms",
    },
    {
      id: "checks",
      what: "the checks' share of the open route, with the streams against without",
      ...summary(beside.map((share) => share / before.value)),
      unit: "times",
      bound: { atLeast: KEPT },
      beside: `without: ${before.value.toFixed(2)} ±${before.spread.toFixed(2)}`,
    },
  ];
}

async function openAll(port: number, count: number): Promise<Stream[]> {
  const streams: Stream[] = [];
  let next = 0;
  const opener = async () => {
    for (let number = next++; number < count; number = next++) streams[number] = await open(port, number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, opener));
  return streams;
}

function open(port: number, number: number): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { Host: `localhost:${port}`, Cookie: plantedCookie(number) };
    const outgoing: ClientRequest = request(
      { port, host: "127.0.0.1", path: "/auth/api/live", agent: false, headers },
      (incoming) => {
        if (incoming.statusCode !== 200) reject(new Error(`A stream was answered ${incoming.statusCode}.`));
        const over = new Promise<number>((heard) => incoming.once("close", () => heard(performance.now())));
        incoming.on("error", () => {}).resume();
        resolve({ number, heard: () => over, close: () => incoming.destroy() });
      },
    );
    outgoing.once("error", reject).end();
  });
}

/** A stream whose session has ended says so and closes. */
async function tell({ port }: Server, streams: readonly Stream[], first: number): Promise<number> {
  const others = streams.slice(first + 1, first + PER_ACCOUNT);
  const headers = { Host: `localhost:${port}`, Cookie: plantedCookie(first) };
  const began = performance.now();
  const answer = exchange({ port, method: "DELETE", path: "/auth/api/sessions", headers });
  const heard = await Promise.all(others.map((stream) => stream.heard()));
  const { status } = await answer;
  if (status >= 300) throw new Error(`The others weren't ended: ${status}.`);
  return Math.max(...heard) - began;
}
