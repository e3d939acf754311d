import { readdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { availableParallelism, constants, setPriority } from "node:os";
import type { Logger } from "pino";

/** Beside one for each core, which hash passwords: files and names of hosts are looked up in the pool, too. */
const MORE_THREADS = 4;
const THREADS = "/proc/self/task";

/** Node reads this when its pool of threads gets its first work, so that comes before anything else. */
export function sizeThreadPool(): void {
  process.env.UV_THREADPOOL_SIZE ??= String(availableParallelism() + MORE_THREADS);
}

/**
 * From now on the pool's threads, which hash passwords, take what the thread that answers requests leaves of the
 * machine: a flood of sign-ins doesn't slow the session checks down. Only Linux has priorities of threads, and where
 * they may not be set, all stay equal.
 */
export async function giveWayToRequests(log: Pick<Logger, "debug">): Promise<void> {
  if (process.platform !== "linux") return;
  try {
    // The pool starts all its threads with its first work.
    await stat(THREADS);
    for (const thread of readdirSync(THREADS))
      if (nameOf(thread) === "libuv-worker")
        setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL);
  } catch (error) {
    log.debug({ err: error }, "The threads that hash passwords keep the priority of all others.");
  }
}

function nameOf(thread: string): string {
  return readFileSync(`${THREADS}/${thread}/comm`, "utf8").trim();
}
