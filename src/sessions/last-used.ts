import { setImmediate as nextTurn } from "node:timers/promises";
import { sql } from "kysely";
import PQueue from "p-queue";
import { type Database, MAY_BE_LOST } from "../database/database.ts";
import type { Settings } from "../options/options.ts";

/** A session's last use is written at most once per interval, in ms. */
const WRITE_INTERVAL = 60_000;
const FLUSH_INTERVAL = 5_000;
/** Few enough that the embedded database, which writes in this thread, doesn't delay requests for long. */
const ROWS_A_STATEMENT = 200;
/** How many sessions are checked before other work gets a turn. */
const LOOKED_AT_ONCE = 10_000;
/** A use this close to the idle limit, in ms, is written at once: other nodes only see the row. */
const CLOSE_TO_IDLE = 30_000;

/** When sessions were last used: remembered here, and written every few seconds. */
export type LastUsed = ReturnType<typeof createLastUsed>;

type Seen = {
  at: number;
  writtenAt: number;
  /** The row was gone, or locked by another transaction: the write is retried once and then given up. */
  missed: boolean;
};

export function createLastUsed(
  database: Database,
  { now, idleTimeout }: Pick<Settings, "now" | "idleTimeout">,
  onError: (error: unknown) => void,
) {
  const seen = new Map<string, Seen>();
  // If the database is slow, flushes must not use up its connections.
  const oneAtATime = new PQueue({ concurrency: 1 });
  const flush = (at: number, everything = false) => oneAtATime.add(() => writeDue(at, everything));

  /** Other work gets a turn after each statement: the embedded database blocks this thread. */
  async function writeDue(at: number, everything: boolean): Promise<void> {
    for (const rows of takeDue(seen, at, everything)) {
      const written = rows.length > 0 ? await writeForward(database, rows) : new Set();
      for (const [id, usedAt] of rows) settle(id, usedAt, written.has(id));
      await nextTurn();
    }
  }

  function settle(id: string, usedAt: number, isWritten: boolean): void {
    const entry = seen.get(id);
    if (!entry) return;
    if (isWritten) Object.assign(entry, { writtenAt: Math.max(entry.writtenAt, usedAt), missed: false });
    else if (entry.missed) seen.delete(id);
    else entry.missed = true;
  }

  const timer = setInterval(() => {
    if (oneAtATime.pending === 0) void flush(now()).catch(onError);
  }, FLUSH_INTERVAL);
  timer.unref();

  return {
    /**
     * Notes a use. Returns a promise only if the session was about to become idle. Then the caller waits
     * until the use is written, so that no other node takes the session for idle after this request was
     * answered.
     */
    touch(sessionId: string, writtenAt: number, at: number): Promise<void> | undefined {
      const entry = seen.get(sessionId);
      if (entry) entry.at = Math.max(entry.at, at);
      else if (at > writtenAt) seen.set(sessionId, { at, writtenAt, missed: false });
      const unwritten = at - Math.max(writtenAt, entry?.writtenAt ?? 0);
      if (idleTimeout === null || unwritten < idleTimeout - CLOSE_TO_IDLE) return undefined;
      return writeForward(database, [[sessionId, at]])
        .then((written) => settle(sessionId, at, written.has(sessionId)))
        .catch(onError);
    },
    /** The last use: the later of the row's time and the one that this process has seen. */
    of: (sessionId: string, writtenAt: number) => Math.max(seen.get(sessionId)?.at ?? 0, writtenAt),
    /** Writes the uses that are due; with `everything`, also of sessions written less than a minute ago. */
    flush,
    async close(): Promise<void> {
      clearInterval(timer);
      await flush(now(), true).catch(onError);
    },
  };
}

/** Yields the due uses, one statement's worth at a time; now and then a shorter list, for a pause. */
function* takeDue(seen: Map<string, Seen>, at: number, everything: boolean): Generator<[string, number][]> {
  let due: [string, number][] = [];
  // Sessions that are added meanwhile wait for the next flush, or this one might never end.
  let left = seen.size;
  for (const [id, entry] of seen) {
    if (left === 0) break;
    left -= 1;
    const isOld = at - entry.writtenAt >= WRITE_INTERVAL;
    if (entry.at > entry.writtenAt && (isOld || everything)) due.push([id, entry.at]);
    else if (isOld) seen.delete(id);
    if (due.length === ROWS_A_STATEMENT || left % LOOKED_AT_ONCE === 0) {
      yield due;
      due = [];
    }
  }
  yield due;
}

/**
 * Moves last uses forward only, and never revives a session: an UPDATE can't bring a deleted row back. Among
 * several rows it skips those that are locked, so that it never waits while it holds locks itself (a
 * deadlock). Returns the ids of the rows that were written.
 */
async function writeForward(database: Database, rows: [string, number][]): Promise<Set<string>> {
  const uses = JSON.stringify(Object.fromEntries(rows));
  const { rows: written } = await database.write(({ query, locksRows }) => {
    const each = sql.raw(locksRows ? "json_each_text" : "json_each");
    const unlocked = locksRows && rows.length > 1 ? sql`for no key update of session skip locked` : sql``;
    return sql<{ id: string }>`
      with used as (select key as id, cast(value as bigint) as at from ${each}(${uses})),
        free (id) as (select session.id from session join used on used.id = session.id ${unlocked})
      update session set last_used_at = used.at from used
        where session.id = used.id and session.last_used_at < used.at
          and session.id in (select id from free)
        returning session.id as id`.execute(query);
  }, MAY_BE_LOST);
  return new Set(written.map(({ id }) => id));
}
