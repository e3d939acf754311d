import { setTimeout as wait } from "node:timers/promises";

/** How late a 429 is sent, in ms: long for a script, short for a person. */
const DELAY = 250;
/** How many wait at once at most; the others are sent without a delay. */
const MOST_WAITING = 1_000;

/**
 * Sends refusals for too many attempts a moment later: a client that asks again as soon as it is refused then
 * asks a few times a second on each connection, and leaves the server to the others.
 */
export function delayRefusals(): (response: Response) => Response | Promise<Response> {
  let waiting = 0;
  const later = async (response: Response) => {
    waiting += 1;
    await wait(DELAY);
    waiting -= 1;
    return response;
  };
  return (response) => (response.status === 429 && waiting < MOST_WAITING ? later(response) : response);
}
