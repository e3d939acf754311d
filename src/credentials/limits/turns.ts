import { createSemaphore, type Semaphore } from "../passwords/semaphore.ts";

const UNDER_WAY = 4;
const TIMEOUT = 10_000;

/** Runs a few jobs per name at once; the others wait, without holding a connection or a lock. */
export type Turns = {
  /** @throws Busy if its turn doesn't come in time; the work is then never begun. */
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
};

export function createTurns(busyMessage: string): Turns {
  const semaphores = new Map<string, Semaphore>();

  function semaphoreOf(name: string): Semaphore {
    const known = semaphores.get(name);
    if (known) return known;
    const made = createSemaphore(UNDER_WAY, TIMEOUT, busyMessage);
    semaphores.set(name, made);
    made.onFree(() => semaphores.delete(name));
    return made;
  }

  return { run: (name, work) => semaphoreOf(name).run(work) };
}
