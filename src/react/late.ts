import { useEffect, useState } from "react";

/** True once so many ms have passed. */
export function useTrue(after: number): boolean {
  const [isTrue, setTrue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTrue(true), after);
    return () => clearTimeout(timer);
  }, [after]);
  return isTrue;
}
