/**
 * Does `work` once, right before a part's function runs the next time, or the given number of times from now.
 */
export function rightBefore<Part extends object, Name extends keyof Part>(
  part: Part,
  name: Name,
  work: () => Promise<unknown>,
  times = 1,
): void {
  once(part, name, times, async (original) => {
    await work();
    return original();
  });
}

/** The same right after it, with its result, before its caller goes on. */
export function rightAfter<Part extends object, Name extends keyof Part>(
  part: Part,
  name: Name,
  work: (done: unknown) => Promise<unknown>,
  times = 1,
): void {
  once(part, name, times, async (original) => {
    const done = await original();
    await work(done);
    return done;
  });
}

function once<Part extends object, Name extends keyof Part>(
  part: Part,
  name: Name,
  times: number,
  around: (original: () => Promise<unknown>) => Promise<unknown>,
): void {
  const original = part[name] as (...of: unknown[]) => Promise<unknown>;
  let left = times;
  Object.assign(part, {
    async [name](...of: unknown[]) {
      left -= 1;
      const call = () => original.call(part, ...of);
      if (left > 0) return call();
      Object.assign(part, { [name]: original });
      return around(call);
    },
  });
}
