/** A value that is there at once, as where the embedded database remembers it, or a promise of it. */
export type Soon<T> = T | Promise<T>;

/** Goes on with the value as soon as it is there: without a turn of the event loop where it already is. */
export function soon<T, U>(value: Soon<T>, goOn: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}

export function allSoon<T>(values: readonly Soon<T>[]): Soon<readonly T[]> {
  const [only] = values;
  // Nearly always, and a Promise.all costs several times as much.
  if (values.length === 1 && only instanceof Promise) return only.then((value) => [value]);
  return values.every((value): value is T => !(value instanceof Promise)) ? values : Promise.all(values);
}
