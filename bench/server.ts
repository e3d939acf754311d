import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../tests/support/servers/free-port.ts";

export type Server = {
  port: number;
  /** The processor time that it has used, in ms; NaN if the system doesn't say. */
  cpu(): number;
  ask(what: string): Promise<unknown>;
  stop(): Promise<void>;
};

/** Starts one of the bench's servers as a separate process, and waits until it reports that it is ready. */
export async function startServer(
  script: string,
  settings: Record<string, string>,
  sharedPort?: number,
): Promise<Server> {
  const port = sharedPort ?? (await freePort());
  const env = { ...process.env, ...settings, BENCH_PORT: String(port) };
  const child: ChildProcess = fork(join(import.meta.dirname, script), { env });
  const gone = once(child, "exit");
  const next = async (): Promise<unknown> => {
    const [said] = await Promise.race([once(child, "message"), gone.then(stopped)]);
    return said;
  };
  await next();
  return {
    port,
    cpu: () => cpuOf(child.pid),
    ask(what) {
      child.send(what);
      return next();
    },
    async stop() {
      child.kill();
      await gone;
    },
  };
}

const TICK = 10; // ms: Linux's clock tick on every processor that Node supports

function cpuOf(pid: number | undefined): number {
  if (process.platform !== "linux") return Number.NaN;
  const [, after = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const [user, system] = after.split(" ").slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) * TICK;
}

function stopped(): never {
  throw new Error("The server stopped before it answered.");
}

/** A folder for what a bench writes, removed afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
