import { useSyncExternalStore } from "react";

/** A value that only the browser knows, from `read`; on a server and until hydration, `onServer`. */
export function useInBrowser<Value>(read: () => Value, onServer: Value): Value {
  return useSyncExternalStore(neverChanges, read, () => onServer);
}

const neverChanges = () => () => {};
