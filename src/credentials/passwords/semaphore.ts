import { Busy } from "../../refusals.ts";

/** Lets so many pieces of work run at once; the others wait in line. */
export type Semaphore = {
  /** @throws Busy where its turn did not come within the patience; its work is then never begun. */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly isFree: boolean;
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
  const waiting: (() => void)[] = [];
  let taken = 0;

  async function enter(): Promise<void> {
    if (taken < atOnce) {
      taken += 1;
      return;
    }
    if (waiting.length >= mostWaiting) throw new Busy(complaint);
    await new Promise<void>((resolve, reject) => {
      const take = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(new Busy(complaint));
      }, patience);
      waiting.push(take);
    });
  }

  return {
    async run(work) {
      await enter();
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else taken -= 1;
      }
    },
    get isFree() {
      return taken === 0;
    },
  };
}
