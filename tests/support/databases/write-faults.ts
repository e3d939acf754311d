import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { systemProgram } from "../runs/system-program.ts";

/** A system call that fails: the n-th one from now on and all after it, as if the disk is full or broken. */
export type WriteFault = { call: "pwrite64" | "fsync,fdatasync"; error: "ENOSPC" | "EIO"; from: number };

const strace = await systemProgram("strace");

/** Whether this machine lets one process trace another: not every machine with `strace` does. */
export async function canInjectFaults(): Promise<boolean> {
  if (strace === null) return false;
  const probe = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
  try {
    await once(probe, "spawn");
    const attached = await attach(probe, ["-e", "trace=fdatasync"]).catch(() => null);
    await attached?.();
    if (attached === null)
      console.warn("SKIPPED: no write fails in a test, since strace may not look into a process here.");
    return attached !== null;
  } finally {
    probe.kill("SIGKILL");
  }
}

/** While `work` runs, writing `file` fails for a process; then there is room again. */
export async function withWriteFault<T>(
  child: ChildProcess,
  file: string,
  { call, error, from }: WriteFault,
  work: () => Promise<T>,
): Promise<T> {
  const rule = `inject=${call}:error=${error}:when=${from}+`;
  const detach = await attach(child, ["-P", file, "-e", `trace=${call}`, "-e", rule]);
  try {
    return await work();
  } finally {
    await detach();
  }
}

/** Resolves, once the process is being traced, to a function that lets it go. */
function attach(child: ChildProcess, words: string[]): Promise<() => Promise<void>> {
  const tracer = spawn(strace ?? "strace", ["-f", "-o", "/dev/null", ...words, "-p", String(child.pid)]);
  const closed = once(tracer, "close");
  return new Promise((resolve, reject) => {
    let said = "";
    tracer.once("error", reject);
    tracer.once("close", () => reject(new Error(`strace said: ${said}`)));
    tracer.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (!/Process \d+ attached/.test(said)) return;
      resolve(async () => {
        tracer.kill("SIGINT");
        await closed;
      });
    });
  });
}
