import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { prune } from "../../src/sessions/prune.ts";
import type { Engine } from "../support/databases/engines.ts";
import { DAY, MINUTE, SECOND } from "../support/requests/clock.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { type Asked, ask, askInBytes } from "./ask.ts";
import { faultsAtRest } from "./at-rest.ts";
import type { Body } from "./bodies.ts";
import { bytesOf, faultsOfBytes } from "./bytes.ts";
import { Cast } from "./cast.ts";
import { faultsOf } from "./judge.ts";
import { type Generated, requestsOf } from "./requests.ts";

export type FuzzOptions = {
  engine: Engine;
  seed: number;
  requests: number;
  onProgress?: (done: number, faults: readonly string[]) => void;
};

export type Fuzzed = {
  requests: number;
  /** How many answers had each status. */
  statuses: Map<number, number>;
  /** Each with the request that caused it, as it was sent. */
  faults: string[];
  /** By how many bytes the heap has grown since the first tenth. */
  grown: number;
};

/** How many requests are generated at a time, with a seed of their own, and how many of these as bytes. */
const BATCH = 1_000;
const IN_BYTES = 20;
/** After this many, new accounts take part: the previous ones have changed their passwords meanwhile. */
const ANEW_EVERY = 5 * BATCH;
/** This many are under way at once. */
const LANES = 8;
/** After this many requests, days pass, expired rows are pruned, and everything is checked. */
const LOOK_EVERY = 20 * BATCH;
const MOST_FAULTS = 50;
/** As much of a request's head as Node reads, in bytes; a character may take two. */
const NODE_READS = 16 * 1024;

/**
 * How much the heap may grow between the first tenth and the end, in bytes: what is remembered is bounded.
 */
export const MOST_GROWN = 32 * 2 ** 20;

/**
 * Sends the requests of a seed to a server of its own, and collects what is wrong with its answers, its
 * process and, in the end, its database. They are begun in order, but eight are under way at once, and the
 * server chooses the tokens: so not everything in the answers is the same each time.
 */
export async function fuzz({ engine, seed, requests, onProgress }: FuzzOptions): Promise<Fuzzed> {
  const fuzzed: Fuzzed = { requests: 0, statuses: new Map(), faults: [], grown: 0 };
  const oidc = [{ id: "acme", clientId: "x", clientSecret: "y", issuer: "http://localhost:1" }];
  const server = await startServer({ engine, trustedProxies: "127.0.0.1", oidc });
  const note = (error: unknown) => fuzzed.faults.push(`the process had an unhandled ${String(error)}`);
  process.on("unhandledRejection", note);
  process.on("uncaughtExceptionMonitor", note);
  try {
    const cast = await Cast.on(server);
    let atFirst = 0;
    for (let batch = 0; fuzzed.requests < requests && fuzzed.faults.length < MOST_FAULTS; batch++) {
      const count = Math.min(BATCH, requests - fuzzed.requests);
      await sendBatch({ server, cast, fuzzed }, seed + batch, count);
      fuzzed.requests += count;
      onProgress?.(fuzzed.requests, fuzzed.faults);
      if (fuzzed.requests % LOOK_EVERY === 0) await look({ server, cast, fuzzed });
      if (atFirst === 0 && fuzzed.requests * 10 >= requests) atFirst = await heap(server);
    }
    await look({ server, cast, fuzzed });
    fuzzed.grown = (await heap(server)) - atFirst;
    fuzzed.faults.push(...(await faultsAtRest(server.database)));
  } finally {
    await server.close();
    process.off("unhandledRejection", note);
    process.off("uncaughtExceptionMonitor", note);
  }
  return fuzzed;
}

type Run = { server: TestServer; cast: Cast; fuzzed: Fuzzed };

async function sendBatch(run: Run, seed: number, count: number): Promise<void> {
  const { server, cast, fuzzed } = run;
  await cast.refresh(fuzzed.requests % ANEW_EVERY === 0);
  const waiting = requestsOf(seed, count).entries();
  const inBytes = bytesOf(seed, IN_BYTES);
  const lane = async () => {
    for (const [at, generated] of waiting) {
      const bytes = at % (BATCH / IN_BYTES) === 0 ? inBytes[at / (BATCH / IN_BYTES)] : undefined;
      await (bytes === undefined ? sendOne(run, generated) : sendBytes(run, bytes));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  server.clock.advance(10 * SECOND);
}

async function sendOne({ server, cast, fuzzed }: Run, generated: Generated): Promise<void> {
  const asked = filledIn(server, cast, generated);
  try {
    const answer = await ask(server.port, asked);
    count(fuzzed, answer.status);
    cast.roleOf(generated.actor).client.jar.take(answer.setCookies);
    const { "set-cookie": _, ...headers } = answer.headers;
    const secrets = cast.secretsIn(answer.text + JSON.stringify(headers));
    const faults = faultsOf(asked, generated.row, answer);
    if (secrets.length > 0) faults.push(`tells ${secrets.join(", ")}`);
    for (const fault of faults)
      fuzzed.faults.push(`${shown(asked)}\n  ${fault}: ${answer.text.slice(0, 300)}`);
  } catch (error) {
    if (isCutOff(asked, error)) count(fuzzed, 0);
    else fuzzed.faults.push(`${shown(asked)}\n  had no answer: ${String(error)}`);
  }
}

/**
 * Node refuses a head that is longer than it reads, and may close the connection before the body has arrived
 * and its answer was read.
 */
function isCutOff({ path, headers }: Asked, error: unknown): boolean {
  const head = path.length + headers.flat().join("").length;
  return head > NODE_READS / 2 && (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

async function sendBytes({ server, fuzzed }: Run, bytes: string): Promise<void> {
  try {
    const came = await askInBytes(server.port, bytes);
    count(fuzzed, Number(/^HTTP\/1\.1 (\d{3})/.exec(came)?.[1] ?? 0));
    for (const fault of faultsOfBytes(came))
      fuzzed.faults.push(`${JSON.stringify(bytes)}\n  ${fault}: ${came.slice(0, 300)}`);
  } catch (error) {
    fuzzed.faults.push(`${JSON.stringify(bytes)}\n  had no answer: ${String(error)}`);
  }
}

/** As a page of the site itself would send it, except for what was generated. */
function filledIn(server: TestServer, cast: Cast, { actor, method, path, headers, body }: Generated): Asked {
  const { client } = cast.roleOf(actor);
  const fill = (text: string, as = (value: string) => value) =>
    text.replace(/«(\w+)»/g, (_, place: string) => as(cast.valueOf(actor, place)));
  const own = new Map<string, string>([
    ["Host", new URL(server.baseUrl).host],
    ["User-Agent", client.userAgent],
    ["Accept", "application/json"],
    ["Sec-Fetch-Site", "same-origin"],
    ["X-Forwarded-For", "10.9.0.1"],
    ["Cookie", client.jar.header()],
    ["Content-Type", "application/json"],
  ]);
  for (const [name, value] of headers) own.set(name, fill(value));
  if (body === null || own.get("Content-Type") === "") own.delete("Content-Type");
  const filled: Body = typeof body === "string" ? fill(body) : body;
  return { method, path: fill(path, encodeURIComponent), headers: [...own], body: filled };
}

/** Days pass, expired rows are pruned, and then everything that should exist has to exist. */
async function look({ server, cast, fuzzed }: Run): Promise<void> {
  try {
    await cast.checkWitness();
    server.clock.advance(fuzzed.requests % (3 * LOOK_EVERY) === 0 ? 7 * DAY : 20 * MINUTE);
    await server.latchkey.parts.settled();
    await prune(server.latchkey.parts, server.clock.now());
  } catch (error) {
    fuzzed.faults.push(`after ${fuzzed.requests} requests: ${String(error)}`);
  }
}

async function heap({ latchkey }: TestServer): Promise<number> {
  await latchkey.parts.settled();
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  for (let times = 0; times < 3; times++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function count({ statuses }: Fuzzed, status: number): void {
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
}

function shown({ method, path, headers, body }: Asked): string {
  const text = typeof body === "string" ? JSON.stringify(body.slice(0, 500)) : String(body);
  return `${method} ${path.slice(0, 300)}\n  ${JSON.stringify(headers).slice(0, 800)}\n  ${text}`;
}
