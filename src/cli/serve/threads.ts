import { readdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { availableParallelism, constants, setPriority } from "node:os";
import type { Logger } from "pino";

/** On top of one thread per core for password hashes: file access and DNS look-ups use the same pool. */
const MORE_THREADS = 4;
const THREADS = "/proc/self/task";

/** Call this before anything else: Node reads the size when its thread pool gets its first work. */
export function sizeThreadPool(): void {
  process.env.UV_THREADPOOL_SIZE ??= String(availableParallelism() + MORE_THREADS);
}

/**
 * Lowers the priority of the pool's threads, which hash passwords, below that of the thread that answers requests:
 * a flood of sign-ins then doesn't slow session checks down. Only Linux has thread priorities; if setting them is
 * not permitted, all stay equal.
 */
export async function giveWayToRequests(log: Pick<Logger, "debug">): Promise<void> {
  if (process.platform !== "linux") return;
  try {
    // This first work makes the pool start all its threads.
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
