import { setTimeout as wait } from "node:timers/promises";
import type { ExpressionBuilder, Selectable } from "kysely";
import type { Write } from "../database/database.ts";
import type { Schema, SessionTable } from "../database/schema.ts";
import { endBecauseOf } from "./endings.ts";
import { DAY, IDLE_MARGIN } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";

/** Small, so that a batch holds the database for a few ms only. */
const ROWS_A_BATCH = 50;
/** The shortest pause between two batches, in ms: whoever waits for the database's lock gets it. */
const SHORTEST_PAUSE = 2;
/** Rows that are only looked at, a batch. */
const ROWS_A_PAGE = 2_000;
/** What the settings allow at most. */
const LONGEST_LIFETIME = 30 * DAY;
const ACTIVITY_KEPT = 90 * DAY;
const DEVICES_KEPT = 400 * DAY;

export type Pruned = { sessions: number; rows: number };

/**
 * `rest` is how many times as long as a batch took the next one waits: what the embedded database does, it does in
 * this thread, and other requests wait for it.
 */
export type Pace = { stop?: AbortSignal; rest?: number };

/**
 * Deletes what is over: expired sessions first (their reason is kept for 7 days), then old reasons,
 * links, emails that nobody could send, pending sign-ins, counters, events and devices. In batches with pauses,
 * one node at a time. An expired session is refused whether this has run or not (S11).
 */
export async function prune(parts: SessionParts, now: number, pace: Pace = {}): Promise<Pruned> {
  const sessions =
    (await inBatches(parts, pace, (write) => endExpired(write, now))) + (await endIdle(parts, now, pace));
  let rows = await inBatches(parts, pace, (write) => parts.database.forgetOldChanges(write, ROWS_A_BATCH));
  for (const [table, column, before] of leftovers(now)) {
    rows += await inBatches(parts, pace, (write) => deleteBefore(write, table, column, before));
  }
  return { sessions, rows };
}

async function inBatches(
  parts: SessionParts,
  pace: Pace,
  batch: (write: Write) => Promise<number>,
): Promise<number> {
  let total = 0;
  while (!pace.stop?.aborted) {
    const done = await paced(pace, () => inTurn(parts, batch));
    total += done ?? 0;
    if (done === null || done < ROWS_A_BATCH) return total;
  }
  return total;
}

/** Does a batch, and rests. */
async function paced<T>({ rest = 0, stop }: Pace, batch: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const done = await batch();
  const pause = Math.max(SHORTEST_PAUSE, (performance.now() - began) * rest);
  if (!stop?.aborted) await wait(pause);
  return done;
}

/** One batch is one transaction; null where another node prunes. */
async function inTurn<T>(parts: SessionParts, batch: (write: Write) => Promise<T>): Promise<T | null> {
  const { database } = parts;
  return database.write(async (write) => ((await database.takeTurn(write)) ? batch(write) : null));
}

/** Sessions that nobody else is changing: whoever is waited for, having their account, might wait for this one. */
function freeSessions(write: Write) {
  return write.query
    .selectFrom("session")
    .select(["token_hash", "id", "expires_at", "last_used_at"])
    .limit(ROWS_A_BATCH)
    .$if(write.locksRows, (query) => query.forUpdate().skipLocked());
}

async function endExpired(write: Write, now: number): Promise<number> {
  const over = await freeSessions(write).where("expires_at", "<=", now).orderBy("expires_at").execute();
  return endByTime(write, over, "expired", now);
}

/** How far the walk has come; an empty hash would be null to SQLite. */
type Place = Pick<Selectable<SessionTable>, "expires_at" | "token_hash">;

/**
 * Nothing is indexed by the last use, or each would be written twice. So this walks by the index on the
 * expiry, a page of rows at a time, through all sessions that are old enough to have idled.
 */
async function endIdle(parts: SessionParts, now: number, pace: Pace): Promise<number> {
  const { idleTimeout } = parts.settings;
  if (idleTimeout === null) return 0;
  const before = now - idleTimeout - IDLE_MARGIN;
  let total = 0;
  let after: Place | undefined = { expires_at: now, token_hash: new Uint8Array(1) };
  while (after !== undefined && !pace.stop?.aborted) {
    const from: Place = after;
    const page = await paced(pace, () =>
      inTurn(parts, (write) => endIdleOnPage(parts, write, { from, before }, now)),
    );
    total += page?.ended ?? 0;
    after = page?.last;
  }
  return total;
}

async function endIdleOnPage(
  parts: SessionParts,
  write: Write,
  { from, before }: { from: Place; before: number },
  now: number,
): Promise<{ ended: number; last: Place | undefined }> {
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
  const found = await freeSessions(write)
    .where(beyond(from))
    .where("expires_at", "<=", last?.expires_at ?? before + LONGEST_LIFETIME)
    .where("last_used_at", "<=", before)
    .orderBy("expires_at")
    .orderBy("token_hash")
    .execute();
  const unused = found.filter((row) => parts.lastUsed.of(row.id, row.last_used_at) <= before);
  const ended = await endByTime(write, unused, "idle", now);
  return { ended, last: found.length < ROWS_A_BATCH ? last : found.at(-1) };
}

/** Later in the walk; sessions that expire in the same ms go by their hash. */
function beyond({ expires_at, token_hash }: Place) {
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
  return endBecauseOf(write, event, { tokenHashes }, { by: null, at: now });
}

type Leftover = {
  [Table in keyof Schema]: [Table, keyof Schema[Table] & string, number];
}[keyof Schema];

function leftovers(now: number): Leftover[] {
  return [
    ["ended_session", "until", now],
    ["pending_sign_in", "expires_at", now],
    ["emailed_link", "expires_at", now],
    ["outgoing_email", "expires_at", now],
    ["ceremony", "expires_at", now],
    ["attempts", "window_ends_at", now],
    ["activity", "at", now - ACTIVITY_KEPT],
    ["known_device", "last_seen_at", now - DEVICES_KEPT],
  ];
}

const KEYS = {
  ended_session: "token_hash",
  pending_sign_in: "token_hash",
  emailed_link: "token_hash",
  outgoing_email: "id",
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
    .limit(ROWS_A_BATCH)
    .$if(write.locksRows, (query) => query.forUpdate().skipLocked());
  const result = await write.query
    .deleteFrom(name)
    .where(key, "in", old)
    .where(ref<"at">(column), "<=", before)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
