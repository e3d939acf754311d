import { type Kysely, sql } from "kysely";
import pg from "pg";
import type { Hear } from "./announcements.ts";
import type { Schema } from "./schema.ts";

const CHANNEL = "latchkey_sessions";

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

/**
 * Tells other nodes whose sessions have changed, after the commit: PostgreSQL lets one transaction with a
 * NOTIFY commit at a time, in the whole cluster, until the disk and the standby have it. What comes while
 * one is under way goes with the next. It is a hint, and one that fails is not said again.
 */
export function tellOtherNodes(query: Kysely<Schema>) {
  let waiting = new Set<string>();
  let telling: Promise<void> | undefined;

  async function tellAll(): Promise<void> {
    while (waiting.size > 0) {
      const accountIds = [...waiting];
      waiting = new Set();
      await notify(query, accountIds).catch(() => {});
    }
    telling = undefined;
  }

  return {
    tell(accountIds: Iterable<string>): void {
      for (const accountId of accountIds) waiting.add(accountId);
      if (waiting.size > 0) telling ??= tellAll();
    },
    /** Once all is said that was to be said. */
    told: async () => telling,
  };
}

/** Nothing is lost with it, so its commit waits neither for the disk nor for a standby. */
async function notify(query: Kysely<Schema>, accountIds: string[]): Promise<void> {
  await sql`
    with soon as materialized (select set_config('synchronous_commit', 'off', true))
    select pg_notify(${CHANNEL}, id) from soon, unnest(cast(${accountIds} as text[])) as changed (id)`.execute(
    query,
  );
}
