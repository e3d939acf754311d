/** Does `work` once: as soon as the named function of a part is done the next time, before its caller goes on. */
export function rightAfter<Part extends object, Name extends keyof Part>(
  part: Part,
  name: Name,
  work: () => Promise<unknown>,
): void {
  const original = part[name] as (...of: unknown[]) => Promise<unknown>;
  Object.assign(part, {
    async [name](...of: unknown[]) {
      Object.assign(part, { [name]: original });
      const done = await original.call(part, ...of);
      await work();
      return done;
    },
  });
}
