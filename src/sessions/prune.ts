import { setTimeout as wait } from "node:timers/promises";
import { type ExpressionBuilder, type Selectable, sql } from "kysely";
import { MAY_BE_LOST, type Write } from "../database/database.ts";
import type { Schema, SessionTable } from "../database/schema.ts";
import { endBecauseOf } from "./endings.ts";
import { DAY, IDLE_MARGIN } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";

/**
 * Small, so that a batch blocks the embedded database, which works in this thread, for a few ms only. On
 * PostgreSQL the round trip and the commit take most of the time; with batches that small, pruning couldn't
 * keep up.
 */
const ROWS_A_BATCH = { sqlite: 25, postgres: 200 } as const;
/** The shortest pause between two batches, in ms, so that others waiting for the database's lock get it. */
const SHORTEST_PAUSE = 2;
/** How many rows the search for idle sessions reads per batch. */
const ROWS_A_PAGE = 2_000;
/** The most that LATCHKEY_SESSION_LIFETIME allows. */
const LONGEST_LIFETIME = 30 * DAY;
const ACTIVITY_KEPT = 90 * DAY;
const DEVICES_KEPT = 400 * DAY;

export type Pruned = { sessions: number; rows: number };

/**
 * Each batch is followed by a pause, `rest` times as long as the batch took: the embedded database works in
 * this thread, and requests wait for it.
 */
export type Pace = { stop?: AbortSignal; rest?: number };

/**
 * Deletes what has expired: sessions first (their reason is kept for 7 days), then old reasons, links, emails
 * that couldn't be sent, pending sign-ins, counters, events and devices. Runs in batches with pauses, on one
 * node at a time. An expired session is refused whether this has run or not (S11).
 */
export async function prune(parts: SessionParts, now: number, pace: Pace = {}): Promise<Pruned> {
  const sessions =
    (await inBatches(parts, pace, (write, most) => endExpired(write, most, now))) +
    (await endIdle(parts, now, pace));
  let rows = await inBatches(parts, pace, (write, most) => parts.database.forgetOldChanges(write, most));
  for (const leftover of leftovers(now))
    rows += await inBatches(parts, pace, (write, most) => deleteLeftover(write, most, leftover));
  return { sessions, rows };
}

async function inBatches(
  parts: SessionParts,
  pace: Pace,
  batch: (write: Write, most: number) => Promise<number>,
): Promise<number> {
  const most = ROWS_A_BATCH[parts.database.engine];
  let total = 0;
  while (!pace.stop?.aborted) {
    const began = performance.now();
    const done = await runBatch(parts, (write) => batch(write, most));
    total += done ?? 0;
    if (done === null || done < most) return total;
    await restAfter(performance.now() - began, pace);
  }
  return total;
}

/** Runs one batch in one transaction; null if another node is pruning. */
async function runBatch<T>(
  { database }: SessionParts,
  batch: (write: Write) => Promise<T>,
): Promise<T | null> {
  return database.write(
    async (write) => ((await database.lockPruning(write)) ? batch(write) : null),
    MAY_BE_LOST,
  );
}

/** Pauses after a batch that took `took` ms; `stop` cuts the pause short. */
async function restAfter(took: number, { stop, rest = 0 }: Pace): Promise<void> {
  const pause = wait(Math.max(SHORTEST_PAUSE, took * rest), undefined, stop && { signal: stop });
  await pause.catch((error: unknown) => {
    if (!stop?.aborted) throw error;
  });
}

/** Sessions that nobody else has locked: the holder of a lock may itself be waiting for this batch. */
function freeSessions(write: Write, most: number) {
  return write.query
    .selectFrom("session")
    .select(["token_hash", "id", "expires_at", "last_used_at"])
    .limit(most)
    .$if(write.locksRows, (query) => query.forUpdate().skipLocked());
}

async function endExpired(write: Write, most: number, now: number): Promise<number> {
  const over = await freeSessions(write, most).where("expires_at", "<=", now).orderBy("expires_at").execute();
  return endByTime(write, over, "expired", now);
}

/** How far the search for idle sessions has come. */
type Cursor = Pick<Selectable<SessionTable>, "expires_at" | "token_hash">;

/**
 * There is no index on the last use: it would double the cost of writing each one. So this goes through all
 * sessions that are old enough to be idle by the index on the expiry, one page of rows at a time.
 */
async function endIdle(parts: SessionParts, now: number, pace: Pace): Promise<number> {
  const { idleTimeout } = parts.settings;
  if (idleTimeout === null) return 0;
  const before = now - idleTimeout - IDLE_MARGIN;
  let total = 0;
  // Not an empty hash: SQLite would read it as null.
  let after: Cursor | undefined = { expires_at: now, token_hash: new Uint8Array(1) };
  while (after !== undefined && !pace.stop?.aborted) {
    const from: Cursor = after;
    const began = performance.now();
    const page = await runBatch(parts, (write) => endIdleOnPage(parts, write, { from, before }, now));
    total += page?.ended ?? 0;
    after = page?.last;
    if (after !== undefined) await restAfter(performance.now() - began, pace);
  }
  return total;
}

async function endIdleOnPage(
  parts: SessionParts,
  write: Write,
  { from, before }: { from: Cursor; before: number },
  now: number,
): Promise<{ ended: number; last: Cursor | undefined }> {
  const last = await write.query
    .selectFrom("session")
    .select(["expires_at", "token_hash"])
    .where(beyond(from))
    .where("expires_at", "<=", before + LONGEST_LIFETIME)
    .orderBy("expires_at")
    .orderBy("token_hash")
    .offset(ROWS_A_PAGE - 1)
    .limit(1)
    .executeTakeFirst();
  const most = ROWS_A_BATCH[parts.database.engine];
  const found = await freeSessions(write, most)
    .where(beyond(from))
    .where("expires_at", "<=", last?.expires_at ?? before + LONGEST_LIFETIME)
    .where("last_used_at", "<=", before)
    .orderBy("expires_at")
    .orderBy("token_hash")
    .execute();
  const unused = found.filter((row) => parts.lastUsed.of(row.id, row.last_used_at) <= before);
  const ended = await endByTime(write, unused, "idle", now);
  return { ended, last: found.length < most ? last : found.at(-1) };
}

/** Sessions after the cursor: by expiry, and by hash if they expire in the same ms. */
function beyond({ expires_at, token_hash }: Cursor) {
  return ({ and, or, eb }: ExpressionBuilder<Schema, "session">) =>
    and([
      eb("expires_at", ">=", expires_at),
      or([eb("expires_at", ">", expires_at), eb("token_hash", ">", token_hash)]),
    ]);
}

async function endByTime(
  write: Write,
  over: { token_hash: Uint8Array }[],
  event: "expired" | "idle",
  now: number,
): Promise<number> {
  if (over.length === 0) return 0;
  const tokenHashes = over.map((row) => row.token_hash);
  return endBecauseOf(write, event, { tokenHashes }, { by: null, at: now }, () => null);
}

type Columns<Table extends keyof Schema> = keyof Schema[Table] & string;

/** Rows of a table to delete, by their key: those whose time in `column` is at or before `until`. */
type Leftover = {
  [Table in keyof Schema]: [table: Table, key: Columns<Table>, column: Columns<Table>, until: number];
}[keyof Schema];

function leftovers(now: number): Leftover[] {
  return [
    ["ended_session", "token_hash", "until", now],
    ["pending_sign_in", "token_hash", "expires_at", now],
    ["emailed_link", "token_hash", "expires_at", now],
    ["outgoing_email", "id", "expires_at", now],
    ["ceremony", "key_hash", "expires_at", now],
    ["attempts", "key", "window_ends_at", now],
    ["activity", "id", "at", now - ACTIVITY_KEPT],
    ["removed_method", "account_id", "removed_at", now - ACTIVITY_KEPT],
    ["known_device", "device_hash", "last_seen_at", now - DEVICES_KEPT],
  ];
}

async function deleteLeftover(
  { query, locksRows }: Write,
  most: number,
  [ofTable, ofKey, ofTime, until]: Leftover,
): Promise<number> {
  const [table, key, time] = [sql.table(ofTable), sql.ref(ofKey), sql.ref(ofTime)];
  const free = locksRows ? sql`for update skip locked` : sql``;
  const deletion = sql`
    delete from ${table} where ${time} <= ${until} and ${key} in
      (select ${key} from ${table} where ${time} <= ${until} limit ${sql.lit(most)} ${free})`;
  return Number((await deletion.execute(query)).numAffectedRows);
}
