import PQueue from "p-queue";
import { Busy } from "../../refusals.ts";

export type Semaphore = ReturnType<typeof createSemaphore>;

/** Each that waits keeps its request, some 20 kB. */
const MOST_WAITING = 1_000;

/**
 * Lets a limited number of pieces of work run at once; the others wait in line. `timeout` is how long a turn is
 * waited for, in ms; `busyMessage` is the message of the error after that. With `mostWaiting` in line, the next one
 * gets the error at once.
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
    /** Calls back whenever nothing runs and nothing waits any more. */
    onFree(callback: () => void): void {
      queue.addEventListener("idle", callback);
    },
  };
}
