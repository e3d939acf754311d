import { sql } from "kysely";
import type { Database } from "../database/database.ts";

/** A session's last use is written at most once in this time, in ms. */
const WRITE_INTERVAL = 60_000;
const FLUSH_INTERVAL = 5_000;
const ROWS_A_STATEMENT = 400;

/** Remembers when sessions were last used, and writes it down now and then. */
export type LastUsed = {
  touch(sessionId: string, writtenAt: number, now: number): void;
  /** The later of what the row says and what this process has seen. */
  of(sessionId: string, writtenAt: number): number;
  /** Writes what is due; with `everything`, also what was written less than a minute ago. */
  flush(now: number, everything?: boolean): Promise<void>;
  /** Stops the timer and writes everything. */
  close(): Promise<void>;
};

export function createLastUsed(
  database: Database,
  now: () => number,
  onError: (error: unknown) => void,
): LastUsed {
  const seen = new Map<string, { at: number; writtenAt: number }>();

  async function flush(at: number, everything = false): Promise<void> {
    const due: [string, number][] = [];
    for (const [id, entry] of seen) {
      const isOld = at - entry.writtenAt >= WRITE_INTERVAL;
      if (entry.at > entry.writtenAt && (isOld || everything)) due.push([id, entry.at]);
      else if (isOld) seen.delete(id);
    }
    due.sort(([one], [other]) => (one < other ? -1 : 1));
    for (let start = 0; start < due.length; start += ROWS_A_STATEMENT) {
      const rows = due.slice(start, start + ROWS_A_STATEMENT);
      await writeForward(database, rows);
      for (const [id, usedAt] of rows) {
        const entry = seen.get(id);
        if (entry) entry.writtenAt = Math.max(entry.writtenAt, usedAt);
      }
    }
  }

  const timer = setInterval(() => void flush(now()).catch(onError), FLUSH_INTERVAL);
  timer.unref();

  return {
    touch(sessionId, writtenAt, at) {
      const entry = seen.get(sessionId);
      if (entry) entry.at = Math.max(entry.at, at);
      else if (at > writtenAt) seen.set(sessionId, { at, writtenAt });
    },
    of: (sessionId, writtenAt) => Math.max(seen.get(sessionId)?.at ?? 0, writtenAt),
    flush,
    async close() {
      clearInterval(timer);
      await flush(now(), true).catch(onError);
    },
  };
}

/** Moves forward only, and touches nothing that has ended: an UPDATE can't bring a row back. */
async function writeForward(database: Database, rows: [string, number][]): Promise<void> {
  const values = sql.join(rows.map(([id, at]) => sql`(cast(${id} as text), cast(${at} as bigint))`));
  await database.write(({ query }) =>
    sql`with used (id, at) as (values ${values})
        update session set last_used_at = used.at from used
        where session.id = used.id and session.last_used_at < used.at`.execute(query),
  );
}
