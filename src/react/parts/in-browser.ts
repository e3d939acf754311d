import { useSyncExternalStore } from "react";

/**
 * A value that only the browser knows, from `read`; `onServer` while a server renders and until hydration.
 */
export function useInBrowser<Value>(read: () => Value, onServer: Value): Value {
  return useSyncExternalStore(neverChanges, read, () => onServer);
}

const neverChanges = () => () => {};
