import { useSyncExternalStore } from "react";

/** What only the browser knows, as `read` returns it; `onServer` where a server renders, and until its page has taken over. */
export function useInBrowser<Value>(read: () => Value, onServer: Value): Value {
  return useSyncExternalStore(neverChanges, read, () => onServer);
}

const neverChanges = () => () => {};
