/** A value that may be there at once, as where the embedded database remembers it: that saves a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

/** Goes on with the value as soon as it is there. */
export function whenReady<T, U>(
  value: MaybePromise<T>,
  goOn: (value: T) => MaybePromise<U>,
): MaybePromise<U> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}

export function allReady<T>(values: readonly MaybePromise<T>[]): MaybePromise<readonly T[]> {
  const [only] = values;
  // The usual case; a Promise.all costs several times as much.
  if (values.length === 1 && only instanceof Promise) return only.then((value) => [value]);
  return values.every((value): value is T => !(value instanceof Promise)) ? values : Promise.all(values);
}
