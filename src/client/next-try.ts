import { Refused } from "./refused.ts";

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;

/** How long to wait, in ms, after so many failures in a row: ever longer, and no shorter than the server asks for. */
export function nextTry(failures: number, error: unknown): number {
  const asked = error instanceof Refused ? (error.facts.retryAfter ?? 0) * 1_000 : 0;
  return Math.max(asked, Math.min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT));
}
