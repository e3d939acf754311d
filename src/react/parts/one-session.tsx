import { Fragment, type ReactNode } from "react";
import { useLatchkey } from "../queries.ts";

/**
 * Remounts a card once the session has ended: on a page that stays, what is open, typed or said in it belongs to
 * whoever was logged in.
 */
export function OneSession({ children }: { children: ReactNode }) {
  return <Fragment key={useLatchkey().endings}>{children}</Fragment>;
}
