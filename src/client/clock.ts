export { PROOF_HOLDS } from "../answers.ts";

/** A smaller difference is ignored, in ms: a slow network and the header's whole seconds can cause it. */
const TOLERATED = 60_000;

/** How far this device's clock is ahead of the server's, in ms. */
let ahead = 0;

/** Reads the server's clock from a response: if the device's is hours wrong, all would be "3 hours ago". */
export function setClock(answer: Headers): void {
  const difference = Date.now() - Date.parse(answer.get("Date") ?? "");
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) < TOLERATED ? 0 : difference;
}

/** The server's time, now or when this device's clock showed `local`. */
export function serverTime(local = Date.now()): number {
  return local - ahead;
}
