import { requestListener } from "../http/listen.ts";
import type { Latchkey } from "../latchkey.ts";

/** Answers Node's own requests; takes the body from `rawBody` if a framework has read it already. */
export function listenerOf(latchkey: Latchkey): ReturnType<typeof requestListener> {
  return requestListener(latchkey, { overrideGlobalObjects: false });
}
