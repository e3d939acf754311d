import PQueue from "p-queue";
import { Busy } from "../../refusals.ts";

export type Semaphore = ReturnType<typeof createSemaphore>;

/** Each waiting job keeps its request in memory, about 20 kB. */
const MOST_WAITING = 1_000;

/**
 * Runs at most `atOnce` jobs at once; the others wait in a queue, for at most `timeout` ms. After that they
 * fail with `busyMessage`. If `mostWaiting` jobs already wait, the next one fails at once.
 */
export function createSemaphore(
  atOnce: number,
  timeout: number,
  busyMessage: string,
  mostWaiting = MOST_WAITING,
) {
  const queue = new PQueue({ concurrency: atOnce });
  return {
    /** @throws Busy if its turn doesn't come in time; the work is then never begun. */
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (queue.size >= mostWaiting) throw new Busy(busyMessage);
      const waiting = new AbortController();
      const timer = setTimeout(() => waiting.abort(new Busy(busyMessage)), timeout);
      const begin = () => {
        clearTimeout(timer);
        return work();
      };
      return queue.add(begin, { signal: waiting.signal });
    },
    /** Calls back whenever the last job has finished. */
    onFree(callback: () => void): void {
      queue.addEventListener("idle", callback);
    },
  };
}
