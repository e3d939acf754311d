import { Fragment, type ReactNode } from "react";
import { useLatchkey } from "../queries.ts";

/**
 * Begins a card anew once the session has ended. Where the app keeps it on the page, what is open in it, typed or
 * said was the person's who was there.
 */
export function OneSession({ children }: { children: ReactNode }) {
  return <Fragment key={useLatchkey().endings}>{children}</Fragment>;
}
