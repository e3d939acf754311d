import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "../tests/support/servers/free-port.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder } from "./server.ts";

const COMMAND = join(import.meta.dirname, "..", "dist", "cli", "main.js");
const BARE = `require("node:http").createServer((_, answer) => answer.end()).listen(process.env.PORT)`;
const SOON = 400; // ms
const SMALL = 90; // MB
const TIMEOUT = 30_000; // ms

export const start: Bench = {
  about:
    "`serve` from its start to its first answer, and its memory then; for comparison, Node with an empty server",
  rounds: 8,
  run: (options) => inFolder((folder) => measure(options, folder)),
};

type Started = { ms: number; megabytes: number };

/** Each round starts both in turn. The first round creates the database. */
async function measure({ rounds, progress }: Options, folder: string): Promise<Row[]> {
  if (!existsSync(COMMAND)) throw new Error("Run `npm run build:package` first.");
  const taken: { serve: Started; bare: Started }[] = [];
  for (let round = 0; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`);
    const serve = await startOnce([COMMAND, "serve"], folder);
    const bare = await startOnce(["-e", BARE], folder);
    if (round > 0) taken.push({ serve, bare });
  }
  const of = (what: keyof Started, which: "serve" | "bare") => summary(taken.map((one) => one[which][what]));
  const bare = (what: keyof Started, unit: string) =>
    `an empty server: ${of(what, "bare").value.toFixed(0)} ${unit}`;
  return [
    {
      id: "first answer",
      what: "`serve`: from its start to its first answer",
      ...of("ms", "serve"),
      unit: "ms",
      bound: { atMost: SOON },
      beside: bare("ms", "ms"),
    },
    {
      id: "resident",
      what: "`serve`: memory after it",
      ...of("megabytes", "serve"),
      unit: "MB",
      bound: { atMost: SMALL },
      beside: bare("megabytes", "MB"),
    },
  ];
}

async function startOnce(command: readonly string[], folder: string): Promise<Started> {
  const port = await freePort();
  const env = {
    ...process.env,
    PORT: String(port),
    BASE_URL: `http://localhost:${port}`,
    DATABASE_URL: `sqlite:${join(folder, "latchkey.db")}`,
  };
  const began = performance.now();
  const child = spawn(process.execPath, command, { cwd: folder, env, stdio: "ignore" });
  const gone = once(child, "exit");
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null || performance.now() - began > TIMEOUT)
        throw new Error(`node ${command[0]} didn't answer.`);
      await wait(2);
    }
    const ms = performance.now() - began;
    return { ms, megabytes: residentOf(child) };
  } finally {
    child.kill();
    await gone;
  }
}

function answers(port: number): Promise<boolean> {
  return fetch(`http://localhost:${port}/login`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** NaN if the system doesn't say. */
function residentOf({ pid }: ChildProcess): number {
  if (process.platform !== "linux") return Number.NaN;
  const [, kilobytes = ""] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}
