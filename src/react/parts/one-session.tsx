import { Fragment, type ReactNode } from "react";
import { useLatchkey } from "../queries.ts";

/**
 * Remounts a card when the session has ended: if the page stays, everything that is open, typed or shown in
 * the card belongs to the person who was logged in.
 */
export function OneSession({ children }: { children: ReactNode }) {
  return <Fragment key={useLatchkey().endings}>{children}</Fragment>;
}
