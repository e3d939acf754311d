import { useEffect, useState, useSyncExternalStore } from "react";

/** True once `after` ms have passed. */
export function useElapsed(after: number): boolean {
  const [isTrue, setTrue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTrue(true), after);
    return () => clearTimeout(timer);
  }, [after]);
  return isTrue;
}

/** Whether the browser says that it is offline; a network that merely fails doesn't count. */
export function useOffline(): boolean {
  return useSyncExternalStore(
    followNetwork,
    () => !navigator.onLine,
    () => false,
  );
}

function followNetwork(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}
