import pg from "pg";
import type { Hear } from "./announcements.ts";

export const CHANNEL = "latchkey_sessions";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;

/**
 * Holds one direct connection that listens for other nodes' announcements. A lost line is taken up
 * again, and then everyone looks, since what was said meanwhile is gone.
 */
export function listenToOtherNodes(url: string, hear: Hear): () => Promise<void> {
  let client: pg.Client | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let wait = FIRST_WAIT;

  function again(): void {
    if (stopped || timer) return;
    timer = setTimeout(connect, wait * (0.5 + Math.random() / 2));
    timer.unref();
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }

  function connect(): void {
    timer = undefined;
    const fresh = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      application_name: "latchkey-listener",
    });
    client = fresh;
    fresh.on("notification", (message) => hear(message.payload || "everyone"));
    fresh.on("error", () => {});
    fresh.on("end", () => {
      if (client === fresh) again();
    });
    fresh
      .connect()
      .then(() => fresh.query(`listen ${CHANNEL}`))
      .then(() => {
        wait = FIRST_WAIT;
        hear("everyone");
      })
      .catch(() => {
        fresh.end().catch(() => {});
        if (client === fresh) again();
      });
  }

  connect();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await client?.end().catch(() => {});
  };
}
