import { setTimeout as wait } from "node:timers/promises";

/** How long a 429 is delayed, in ms: long for a script, short for a person. */
const DELAY = 250;
/** The most responses that wait at once; others are sent without a delay. */
const MOST_WAITING = 1_000;

/**
 * Delays refusals for too many attempts: a client that retries as soon as it is refused can then only do so a
 * few times a second on each connection, which leaves the server to other clients.
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
