import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import type { Settings } from "../options/options.ts";

/** A session's last use is written at most once in this time, in ms. */
const WRITE_INTERVAL = 60_000;
const FLUSH_INTERVAL = 5_000;
const ROWS_A_STATEMENT = 400;
/** So shortly before its idle limit, in ms, a use is written at once: other nodes go by the row. */
const CLOSE_TO_IDLE = 30_000;

/** Remembers when sessions were last used, and writes it down now and then. */
export type LastUsed = {
  /**
   * Notes a use. Resolves at once, but where the session was about to be idle: then once it is written, so
   * that no other node says so after this use was answered.
   */
  touch(sessionId: string, writtenAt: number, now: number): Promise<void>;
  /** The later of what the row says and what this process has seen. */
  of(sessionId: string, writtenAt: number): number;
  /** Writes what is due; with `everything`, also what was written less than a minute ago. */
  flush(now: number, everything?: boolean): Promise<void>;
  /** Stops the timer and writes everything. */
  close(): Promise<void>;
};

type Seen = {
  at: number;
  writtenAt: number;
  /** The row was not there to be written, or was being changed: once more, and then never. */
  missed: boolean;
};

export function createLastUsed(
  database: Database,
  { now, idleTimeout }: Pick<Settings, "now" | "idleTimeout">,
  onError: (error: unknown) => void,
): LastUsed {
  const seen = new Map<string, Seen>();
  let work: Promise<void> = Promise.resolve();
  let underWay = 0;

  /** One at a time: while the database is slow, flushes don't take its connections from everyone else. */
  function flush(at: number, everything = false): Promise<void> {
    underWay += 1;
    const done = work
      .then(() => writeDue(at, everything))
      .finally(() => {
        underWay -= 1;
      });
    work = done.catch(() => {});
    return done;
  }

  async function writeDue(at: number, everything: boolean): Promise<void> {
    const due: [string, number][] = [];
    for (const [id, entry] of seen) {
      const isOld = at - entry.writtenAt >= WRITE_INTERVAL;
      if (entry.at > entry.writtenAt && (isOld || everything)) due.push([id, entry.at]);
      else if (isOld) seen.delete(id);
    }
    for (let start = 0; start < due.length; start += ROWS_A_STATEMENT) {
      const rows = due.slice(start, start + ROWS_A_STATEMENT);
      const written = await writeForward(database, rows);
      for (const [id, usedAt] of rows) settle(id, usedAt, written.has(id));
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
    if (underWay === 0) void flush(now()).catch(onError);
  }, FLUSH_INTERVAL);
  timer.unref();

  return {
    async touch(sessionId, writtenAt, at) {
      const entry = seen.get(sessionId);
      if (entry) entry.at = Math.max(entry.at, at);
      else if (at > writtenAt) seen.set(sessionId, { at, writtenAt, missed: false });
      const unwritten = at - Math.max(writtenAt, entry?.writtenAt ?? 0);
      if (idleTimeout === null || unwritten < idleTimeout - CLOSE_TO_IDLE) return;
      const written = await writeForward(database, [[sessionId, at]]).catch(onError);
      if (written) settle(sessionId, at, written.has(sessionId));
    },
    of: (sessionId, writtenAt) => Math.max(seen.get(sessionId)?.at ?? 0, writtenAt),
    flush,
    async close() {
      clearInterval(timer);
      await flush(now(), true).catch(onError);
    },
  };
}

/**
 * Moves forward only, and touches nothing that has ended: an UPDATE can't bring a row back. Of many
 * rows it leaves out those that somebody is changing at that moment: it never waits with others in its
 * hands. Returns which were written.
 */
async function writeForward(database: Database, rows: [string, number][]): Promise<Set<string>> {
  const values = sql.join(rows.map(([id, at]) => sql`(cast(${id} as text), cast(${at} as bigint))`));
  const { rows: written } = await database.write(({ query, locksRows }) => {
    const unlocked = locksRows && rows.length > 1 ? sql`for no key update of session skip locked` : sql``;
    return sql<{ id: string }>`
      with used (id, at) as (values ${values}),
        free (id) as (select session.id from session join used on used.id = session.id ${unlocked})
      update session set last_used_at = used.at from used
        where session.id = used.id and session.last_used_at < used.at
          and session.id in (select id from free)
        returning session.id as id`.execute(query);
  });
  return new Set(written.map(({ id }) => id));
}
