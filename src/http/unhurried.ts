import { setTimeout as wait } from "node:timers/promises";

/** How long a 429 is kept before it is sent, in ms: long for a script, short for a person. */
const KEPT = 250;
/** So many at most wait at once; the others are sent as they are. */
const MOST_WAITING = 1_000;

/**
 * Sends refusals for too many attempts a moment later. Whoever asks again as soon as they are refused then
 * asks a few times a second on each connection, and leaves the server to the others.
 */
export function unhurried(): (response: Response) => Promise<Response> {
  let waiting = 0;
  return async (response) => {
    if (response.status !== 429 || waiting >= MOST_WAITING) return response;
    waiting += 1;
    await wait(KEPT);
    waiting -= 1;
    return response;
  };
}
