import { randomBytes } from "node:crypto";

let lastTime = 0;
let counter = 0;

/** Makes an id that sorts by time and, within one ms, by the order of calls in this process. */
export function makeSortedId(at: number): string {
  counter = at === lastTime ? counter + 1 : 0;
  lastTime = at;
  const time = Math.max(0, Math.floor(at)).toString(36).padStart(9, "0");
  return time + counter.toString(36).padStart(5, "0") + randomBytes(6).toString("hex");
}
