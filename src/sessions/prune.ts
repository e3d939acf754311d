import { setTimeout as wait } from "node:timers/promises";
import type { Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";
import { endSessions } from "./endings.ts";
import { DAY } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";

/** Small, so that a batch holds the database for a few ms only. */
const ROWS_A_BATCH = 200;
const ACTIVITY_KEPT = 90 * DAY;
const DEVICES_KEPT = 400 * DAY;
/** Last uses of other nodes are written within a minute: what looks idle by less may have been used there. */
const IDLE_MARGIN = 120_000;

export type Pruned = { sessions: number; rows: number };

/**
 * Deletes what is over: expired sessions first (their reason is kept for 7 days), then old reasons,
 * links, half-finished sign-ins, counters, events and devices. In batches with pauses, one node at a
 * time. An expired session is refused whether this has run or not (S11).
 */
export async function prune(parts: SessionParts, now: number, stop?: AbortSignal): Promise<Pruned> {
  const sessions =
    (await inBatches(parts, stop, (write) => endExpired(write, now))) +
    (await inBatches(parts, stop, (write) => endIdle(parts, write, now)));
  let rows = 0;
  for (const [table, column, before] of leftovers(now)) {
    rows += await inBatches(parts, stop, (write) => deleteBefore(write, table, column, before));
  }
  return { sessions, rows };
}

async function inBatches(
  parts: SessionParts,
  stop: AbortSignal | undefined,
  batch: (write: Write) => Promise<number>,
): Promise<number> {
  let total = 0;
  while (!stop?.aborted) {
    const done = await parts.database.write(async (write) =>
      (await parts.database.takeTurn(write)) ? batch(write) : 0,
    );
    total += done;
    if (done < ROWS_A_BATCH) return total;
    await wait(2);
  }
  return total;
}

async function endExpired(write: Write, now: number): Promise<number> {
  const over = await write.query
    .selectFrom("session")
    .select("token_hash")
    .where("expires_at", "<=", now)
    .orderBy("expires_at")
    .limit(ROWS_A_BATCH)
    .execute();
  return endByTime(write, over, "expired", now);
}

async function endIdle(parts: SessionParts, write: Write, now: number): Promise<number> {
  const { idleTimeout } = parts.settings;
  if (idleTimeout === null) return 0;
  const over = await write.query
    .selectFrom("session")
    .select(["token_hash", "id", "last_used_at"])
    .where("last_used_at", "<=", now - idleTimeout - IDLE_MARGIN)
    .limit(ROWS_A_BATCH)
    .execute();
  const unused = over.filter((row) => parts.lastUsed.of(row.id, row.last_used_at) === row.last_used_at);
  return endByTime(write, unused, "idle", now);
}

async function endByTime(
  write: Write,
  over: { token_hash: Uint8Array }[],
  reason: "expired" | "idle",
  now: number,
): Promise<number> {
  if (over.length === 0) return 0;
  return endSessions(
    write,
    { tokenHashes: over.map((row) => row.token_hash) },
    { reason, by: null, at: now },
  );
}

type Leftover = {
  [Table in keyof Schema]: [Table, keyof Schema[Table] & string, number];
}[keyof Schema];

function leftovers(now: number): Leftover[] {
  return [
    ["ended_session", "until", now],
    ["half_finished_sign_in", "expires_at", now],
    ["mailed_link", "expires_at", now],
    ["ceremony", "expires_at", now],
    ["attempts", "window_ends_at", now],
    ["activity", "at", now - ACTIVITY_KEPT],
    ["known_device", "last_seen_at", now - DEVICES_KEPT],
  ];
}

const KEYS = {
  ended_session: "token_hash",
  half_finished_sign_in: "token_hash",
  mailed_link: "token_hash",
  ceremony: "key_hash",
  attempts: "key",
  activity: "id",
  known_device: "device_hash",
} as const;

async function deleteBefore(write: Write, table: string, column: string, before: number): Promise<number> {
  const { ref } = write.query.dynamic;
  const name = table as "activity";
  const key = ref<"id">(KEYS[table as keyof typeof KEYS]);
  const old = write.query
    .selectFrom(name)
    .select(key)
    .where(ref<"at">(column), "<=", before)
    .limit(ROWS_A_BATCH);
  const result = await write.query
    .deleteFrom(name)
    .where(key, "in", old)
    .where(ref<"at">(column), "<=", before)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
