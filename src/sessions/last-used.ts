import { setImmediate as nextTurn } from "node:timers/promises";
import { sql } from "kysely";
import PQueue from "p-queue";
import { type Database, MAY_BE_LOST } from "../database/database.ts";
import type { Settings } from "../options/options.ts";

/** A session's last use is written at most once in this time, in ms. */
const WRITE_INTERVAL = 60_000;
const FLUSH_INTERVAL = 5_000;
/** Few enough that the embedded database, which writes in this thread, holds up no request for long. */
const ROWS_A_STATEMENT = 200;
/** How many sessions are looked at before other work gets a turn. */
const LOOKED_AT_ONCE = 10_000;
/** How close to its idle limit, in ms, a session's use is written at once: other nodes go by the row. */
const CLOSE_TO_IDLE = 30_000;

/** When sessions were last used: remembered here, and written every few seconds. */
export type LastUsed = ReturnType<typeof createLastUsed>;

type Seen = {
  at: number;
  writtenAt: number;
  /** The row was gone, or was being changed: the use is written once more, and then given up. */
  missed: boolean;
};

export function createLastUsed(
  database: Database,
  { now, idleTimeout }: Pick<Settings, "now" | "idleTimeout">,
  onError: (error: unknown) => void,
) {
  const seen = new Map<string, Seen>();
  // While the database is slow, flushes don't take its connections from everyone else.
  const oneAtATime = new PQueue({ concurrency: 1 });
  const flush = (at: number, everything = false) => oneAtATime.add(() => writeDue(at, everything));

  /** Other work gets a turn after each statement: the embedded database never gives it one by itself. */
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
     * Notes a use. There is something to wait for only where the session was about to be idle: that the use is
     * written, so that no other node takes the session for idle after this use was answered.
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
    /** The later of what the row says and what this process has seen. */
    of: (sessionId: string, writtenAt: number) => Math.max(seen.get(sessionId)?.at ?? 0, writtenAt),
    /** Writes what is due; with `everything`, also what was written less than a minute ago. */
    flush,
    async close(): Promise<void> {
      clearInterval(timer);
      await flush(now(), true).catch(onError);
    },
  };
}

/** The uses that are due, as many at once as a statement takes; an empty list, for a pause, after many that aren't. */
function* takeDue(seen: Map<string, Seen>, at: number, everything: boolean): Generator<[string, number][]> {
  let due: [string, number][] = [];
  // What is first seen from now on is for the next flush, or this one might never end.
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
 * Moves forward only, and touches nothing that has ended: an UPDATE can't bring a row back. Of many
 * rows it leaves out those that are being changed at that moment: it never waits while it holds others.
 * Returns which were written.
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
