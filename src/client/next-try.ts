import { Refused, Unreachable } from "./refused.ts";

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;
/** The longest wait, in ms, on a proxy's answer: it may ask for an hour during a short outage. */
const LONGEST_FOR_ANSWERS = 60_000;

/** How long to wait, in ms, after this many failures in a row; at least as long as the server asks for. */
export function nextTry(failures: number, error: unknown): number {
  return Math.max(askedFor(error), Math.min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT));
}

function askedFor(error: unknown): number {
  if (error instanceof Refused) return (error.facts.retryAfter ?? 0) * 1_000;
  if (error instanceof Unreachable) return Math.min((error.retryAfter ?? 0) * 1_000, LONGEST_FOR_ANSWERS);
  return 0;
}
