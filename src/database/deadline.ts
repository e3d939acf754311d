import { DatabaseUnavailable } from "./database.ts";

/** A point in time by `performance.now()`, which isn't affected when the system clock is changed. */
export type Deadline = number;

export function deadlineIn(ms: number): Deadline {
  return performance.now() + ms;
}

/**
 * Waits for `work` until the deadline, without stopping it.
 * @throws DatabaseUnavailable once the deadline passes.
 */
export async function within<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new DatabaseUnavailable("The database did not answer in time.")),
      Math.max(0, deadline - performance.now()),
    );
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
