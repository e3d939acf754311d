import { DatabaseUnavailable } from "./database.ts";

/** A moment of `performance.now()`, which no change of the clock moves. */
export type Deadline = number;

export function deadlineIn(ms: number): Deadline {
  return performance.now() + ms;
}

/** Waits for `work` until the deadline; the work itself is not stopped. @throws DatabaseUnavailable after it. */
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
