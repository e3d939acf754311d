import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** By how many bytes this process's heap has grown after `work`, with garbage collected before and after. */
export function heapGrowth(work: () => void): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  work();
  collectGarbage();
  return process.memoryUsage().heapUsed - before;
}

/** A Cookie header of 8 kB that ends with this cookie; one flat string, as it comes from the network. */
export function longCookieHeader(cookie: string): string {
  return Buffer.from(`theme=${"x".repeat(8_000)}; ${cookie}`).toString("latin1");
}
