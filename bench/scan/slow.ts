import { setTimeout as wait } from "node:timers/promises";
import { check, type Person, timesOf } from "../floods-clients.ts";
import { run, type Target } from "./run.ts";

const CONNECTIONS = 1_000;
const HELD = 45; // seconds
/** The longest that opening them all may take; slowhttptest opens 500 a second. */
const OPENING = 25_000; // ms
const MEASURED = 8_000; // ms

/**
 * slowhttptest sends only headers that it knows, so the one that gets the body accepted goes on the cookie's
 * line.
 */
const WELCOME = ["-f", "application/json", "-j", "a=b\r\nSec-Fetch-Site: same-origin"];
const KINDS = {
  "slow headers": ["-H", "-u", "/login"],
  "slow bodies": ["-B", "-u", "/api/session", "-s", "8192", ...WELCOME],
  "slow reads": ["-X", "-u", "/api/openapi.json", "-w", "10", "-y", "20", "-n", "5", "-z", "32"],
};

/** Session checks of someone else, at rest and while slow connections are held, in the same run. */
export async function heldConnections({ url }: Target, person: Person): Promise<void> {
  const port = Number(new URL(url).port);
  await checksOf(port, person);
  for (const [kind, args] of Object.entries(KINDS)) {
    const quiet = await checksOf(port, person);
    const all = args.map((arg) => (arg.startsWith("/") ? `${url}${arg}` : arg));
    const bounds = ["-c", String(CONNECTIONS), "-r", "500", "-i", "5", "-l", String(HELD), "-p", "3"];
    const over = run("slowhttptest", [...all, ...bounds], HELD + 30);
    const open = await whenAllAreOpen(port);
    const held = await checksOf(port, person);
    const stillOpen = await openConnections(port);
    await over;
    console.log(
      `slowhttptest  ${kind}, ${open} to ${stillOpen} open: a check takes ${spread(held)}, quiet ${spread(quiet)}`,
    );
  }
}

async function whenAllAreOpen(port: number): Promise<number> {
  const end = performance.now() + OPENING;
  for (;;) {
    const open = await openConnections(port);
    if (open >= CONNECTIONS || performance.now() > end) return open;
    await wait(500);
  }
}

async function checksOf(port: number, person: Person): Promise<number[]> {
  const took: number[] = [];
  for (const end = performance.now() + MEASURED; performance.now() < end; )
    took.push(...(await timesOf(() => check(port, person), 10)));
  return took;
}

/** The connections that the system counts as established, at the server's end. */
async function openConnections(port: number): Promise<number> {
  const lines = await run("ss", ["-Htn", "state", "established", `( sport = :${port} )`], 10);
  return lines.split("\n").filter((line) => line !== "").length;
}

function spread(took: number[]): string {
  const sorted = took.toSorted((one, other) => one - other);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2);
  return `${at(0.5)} ms (p99 ${at(0.99)} ms)`;
}
