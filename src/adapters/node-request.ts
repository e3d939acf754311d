import { requestListener } from "../http/listen.ts";
import type { Latchkey } from "../latchkey.ts";

/** Answers requests of Node's own; a framework's body that was read already is looked for in `rawBody`. */
export function listenerOf(latchkey: Latchkey): ReturnType<typeof requestListener> {
  return requestListener(latchkey, { overrideGlobalObjects: false });
}
