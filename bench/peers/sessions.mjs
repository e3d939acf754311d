import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";

/** What the bench tells each peer. */
export const {
  BENCH_DATABASE = "",
  BENCH_COOKIES = "",
  BENCH_SESSIONS = "1000",
  BENCH_PORT = "0",
} = process.env;
export const port = Number(BENCH_PORT);
export const isSqlite = BENCH_DATABASE.startsWith("sqlite:");
export const file = BENCH_DATABASE.slice("sqlite:".length);
export const secret = "0".repeat(32);
export const lasts = 20 * 86_400_000;

/** Creates the sessions one after another, and writes the cookie of each on a line. */
export async function makeSessions(make) {
  const cookies = [];
  for (let number = 0; number < Number(BENCH_SESSIONS); number++) cookies.push(await make(number));
  writeFileSync(BENCH_COOKIES, cookies.join("\n"));
}

export function signature(value) {
  return createHmac("sha256", secret).update(value).digest("base64");
}

/** Reports that it is ready, and from then on lives no longer than the bench. */
export function ready() {
  process.once("disconnect", () => process.exit());
  process.send?.("ready");
}
