/** What a slow network and the header's whole seconds explain by themselves, in ms. */
const TOLERATED = 60_000;

/** By how much the clock of this device is ahead of the server's, in ms. */
let ahead = 0;

/** Reads the server's clock from its answer: with the device's own, hours wrong, everything would be "3 hours ago". */
export function setClock(answer: Headers): void {
  const difference = Date.now() - Date.parse(answer.get("Date") ?? "");
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) < TOLERATED ? 0 : difference;
}

/** The time by the server's clock, now or when this device's clock said `local`. */
export function serverTime(local = Date.now()): number {
  return local - ahead;
}
