import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createAdaptorServer } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { mount, requireSession } from "../src/adapters/hono.ts";
import { giveWayToRequests, sizeThreadPool } from "../src/cli/serve/threads.ts";
import { lockAccount } from "../src/database/lock.ts";
import { createLatchkey } from "../src/index.ts";
import { REST } from "../src/maintenance.ts";
import { readDevice } from "../src/sessions/device-label/device-label.ts";
import { type Pace, prune } from "../src/sessions/prune.ts";
import { startSession } from "../src/sessions/start.ts";
import { makeSecret } from "../src/sessions/token.ts";
import { plantedAccount, plantedSession } from "./plant.ts";

/**
 * Latchkey in a Hono app on a planted database: one open route and one behind `requireSession`. If it is to
 * be busy, it also signs people in and writes last-used times, as many per second as a busy site does.
 */
const HASHED = 2_000; // ms
/** What a bench can ask of it. */
const ANSWERS = { prune: () => pruneAll(), pruneSome, memory, delay, hashes };
const {
  BENCH_BUSY,
  BENCH_LIMITS,
  BENCH_DATABASE = "",
  BENCH_FOLDER = "",
  BENCH_SCHEME = "http",
  BENCH_SESSIONS = "1000",
  BENCH_PORT = "0",
} = process.env;
const baseUrl = `${BENCH_SCHEME}://localhost:${BENCH_PORT}/auth`;
// As `serve` does.
sizeThreadPool();
const latchkey = await createLatchkey({
  baseUrl,
  databaseUrl: BENCH_DATABASE,
  outbox: `${BENCH_FOLDER}/outbox`,
  secretKey: "0".repeat(64),
  logLevel: "error",
  rateLimits: BENCH_LIMITS === "off" ? "off" : "on",
});

await giveWayToRequests(latchkey.parts.log);

const app = new Hono();
app.get("/open", (context) => context.text("hello"));
// The least that a check in a middleware can cost: Latchkey is two middlewares.
const passOn: MiddlewareHandler = (_, next) => next();
app.get("/passed-on", passOn, passOn, (context) => context.text("hello"));
app.use(mount(latchkey));
app.use(requireSession(latchkey));
app.get("/guarded", (context) => context.text("hello"));
if (BENCH_BUSY) keepBusy();
const delays = monitorEventLoopDelay({ resolution: 1 });
process.on("message", async (asked: keyof typeof ANSWERS) => process.send?.(await ANSWERS[asked]()));
process.once("disconnect", () => process.exit());
// So that several processes can share one port (`bench/workers.ts`); alone, a process gets all of its
// connections.
const listenAt = { port: Number(BENCH_PORT), host: "127.0.0.1", reusePort: true };
createAdaptorServer({ fetch: app.fetch }).listen(listenAt, () => process.send?.("ready"));

/**
 * 20 sign-ins and 100 last-used times a second, each sign-in being the transaction that follows the password:
 * the hash itself takes another thread's time, and on two cores would be all that is measured. Each sign-in
 * comes from a new browser, so that the sessions that are checked live on.
 */
function keepBusy(): void {
  const { parts } = latchkey;
  const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const clientInfo = {
    device: readDevice(new Headers({ "user-agent": firefox })),
    deviceToken: makeSecret(),
    isReturning: true,
    tokens: [],
    boundTokens: [],
    network: { of: "127.0.0.1", generous: false },
  };
  const sign = { signedInWith: "password", methodId: "password", bothFactors: false } as const;
  const nextOf = (named: (number: number) => string) => {
    let next = 0;
    return () => named(next++ % Number(BENCH_SESSIONS));
  };
  const nextAccount = nextOf(plantedAccount);
  const nextSession = nextOf(plantedSession);
  setInterval(() => {
    const now = Date.now();
    const accountId = nextAccount();
    void parts.database.write(async (write) => {
      await lockAccount(write, accountId);
      await startSession({ parts, clientInfo, now }, write, { accountId, ...sign });
    });
    for (let uses = 0; uses < 5; uses++) void parts.lastUsed.touch(nextSession(), now - 120_000, now);
  }, 50);
}

type Pruned = { sessions: number; ms: number };

/** As the server itself does it. */
async function pruneAll(pace: Pace = { rest: REST }): Promise<Pruned> {
  const began = performance.now();
  const { sessions } = await prune(latchkey.parts, Date.now(), pace);
  return { sessions, ms: performance.now() - began };
}

function pruneSome(): Promise<Pruned> {
  return pruneAll({ stop: AbortSignal.timeout(2_000) });
}

function memory(): number {
  return process.memoryUsage().rss;
}

/** The longest that the event loop was blocked since the last question, in ms. */
function delay(): number {
  const longest = delays.max / 1e6;
  delays.reset();
  delays.enable();
  return longest;
}

/** How many passwords per second this machine hashes when it does nothing else, one per core at a time. */
async function hashes(): Promise<number> {
  const { passwords } = latchkey.parts;
  const began = performance.now();
  let done = 0;
  const one = async () => {
    for (; performance.now() - began < HASHED; done++) await passwords.hash("quartz-Lantern-burrow-58");
  };
  await Promise.all(Array.from({ length: availableParallelism() }, one));
  return (done * 1_000) / (performance.now() - began);
}
