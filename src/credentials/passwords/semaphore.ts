import PQueue from "p-queue";
import { Busy } from "../../refusals.ts";

/** Lets so many pieces of work run at once; the others wait in line. */
export type Semaphore = {
  /** @throws Busy where its turn did not come within the patience; its work is then never begun. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Calls back whenever nothing runs and nothing waits any more. */
  onFree(callback: () => void): void;
};

/**
 * `patience` in ms; `complaint` is what is said of a turn that did not come. With `mostWaiting` in line,
 * the next one is told so at once.
 */
export function createSemaphore(
  atOnce: number,
  patience: number,
  complaint: string,
  mostWaiting = Number.POSITIVE_INFINITY,
): Semaphore {
  const queue = new PQueue({ concurrency: atOnce });
  return {
    async run(work) {
      if (queue.size >= mostWaiting) throw new Busy(complaint);
      const waiting = new AbortController();
      const timer = setTimeout(() => waiting.abort(new Busy(complaint)), patience);
      const begin = () => {
        clearTimeout(timer);
        return work();
      };
      return queue.add(begin, { signal: waiting.signal });
    },
    onFree(callback) {
      queue.addEventListener("idle", callback);
    },
  };
}
