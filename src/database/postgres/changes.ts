import { sql } from "kysely";
import type { Notice, Write } from "../database.ts";
import type { Deadline } from "../deadline.ts";
import { ask, type Client } from "./pool.ts";

/** Beyond this many changes since the last question, it is cheaper to read all sessions again. */
const MOST_CHANGES = 1_000;
/** After longer than this without a question, a node no longer relies on the change notes; in ms. */
const HEARD_WITHIN = 10_000;
/** Later than any transaction: the first question asks for no changes, since nothing is remembered yet. */
const NEVER = "9223372036854775807";
/** The content of a note about more changed rows than are worth naming. */
const EVERYTHING = "*";
/** The number of triggers, on three tables, that write the notes; they fire in replica mode too. */
const TRIGGERS = 10;

/** The ids of sessions and accounts that have changed; "everything" if they can't be told. */
export type Changes = readonly string[] | "everything";

type Answer = { snapshot: string; source: string; at: number; ids: string | null; count: number };

/**
 * Selects the notes that were committed between two snapshots: those of transactions that began after the
 * first snapshot, or were in progress in it. Sequence numbers wouldn't do, since transactions don't commit in
 * the order in which they take them. `source` changes after a failover, a crash (which may reuse transaction
 * numbers), a restore, or a TRUNCATE of the notes themselves.
 */
const QUESTION = `
  select pg_current_snapshot()::text as snapshot,
    concat_ws(' ', pg_postmaster_start_time(), pg_stat_get_bgwriter_stat_reset_time(),
      pg_relation_filenode('session'), pg_relation_filenode('account'), pg_relation_filenode('two_factor'),
      pg_relation_filenode('session_change')) as source,
    extract(epoch from statement_timestamp())::float8 * 1000 as at, change.ids, change.count
  from (
    select string_agg(ids, ' ') as ids, count(*) as count from (
      (select ids from session_change where xid >= $1::xid8 order by xid limit ${MOST_CHANGES})
      union all
      (select ids from session_change where xid = any($2::xid8[]) limit ${MOST_CHANGES})
    ) as since
  ) as change`;

const WATCHED = `
  select count(*) >= ${TRIGGERS} as watched from pg_trigger
  where tgrelid in ('session'::regclass, 'account'::regclass, 'two_factor'::regclass)
    and tgfoid = 'note_session_change'::regproc and tgenabled = 'A'`;

const MISSING =
  "DATABASE_URL: triggers of migration 13 are missing or disabled on session, account or two_factor. Every check reads its session anew until they are back.";

const START = {
  client: null as Client | null,
  source: "",
  isWatched: false,
  at: 0,
  heardAt: 0,
  after: NEVER,
  underWay: [] as string[],
};

/**
 * Asks the database what has changed since the last question. Callers must ask one question at a time, so
 * that each answer is applied before the next question.
 */
export function createChangeQuestion(notice: Notice) {
  let last = START;
  let isMissed = false;

  /**
   * Without triggers a table changes unnoticed: then no answer is trusted, and the operator is warned once.
   */
  async function requireTriggers(client: Client, deadline: Deadline): Promise<boolean> {
    const { rows } = await ask<{ watched: boolean }>(client, { text: WATCHED }, deadline);
    const isWatched = rows[0]?.watched === true;
    if (!isWatched && !isMissed) notice("warn", MISSING);
    isMissed = !isWatched;
    return isWatched;
  }

  return async (client: Client, named: { name?: string }, deadline: Deadline): Promise<Changes> => {
    const before = last;
    // If this question fails, the next one starts from scratch: the failure may be due to too large an
    // answer.
    last = START;
    const query = { text: QUESTION, values: [before.after, before.underWay], ...named };
    const { rows } = await ask<Answer>(client, query, deadline);
    const [answer] = rows as [Answer];
    const { source, at, ids, count } = answer;
    const isSame = source === before.source && client === before.client;
    const isWatched = isSame ? before.isWatched : await requireTriggers(client, deadline);
    const [, after = NEVER, underWay] = answer.snapshot.split(":");
    const heardAt = performance.now();
    const inTime =
      heardAt - before.heardAt < HEARD_WITHIN && at >= before.at && at - before.at < HEARD_WITHIN;
    const isForward = BigInt(after) >= BigInt(before.after);
    last = { client, source, isWatched, at, heardAt, after, underWay: underWay ? underWay.split(",") : [] };
    if (!(isSame && isWatched && inTime && isForward && count < MOST_CHANGES)) return "everything";
    const changed = ids === null ? [] : ids.split(" ");
    return changed.includes(EVERYTHING) ? "everything" : changed;
  };
}

/** How old a mark must be: far more than HEARD_WITHIN, after which a node no longer relies on notes. */
const KEPT = "10 minutes";

/**
 * Deletes the notes of transactions that had ended before the last mark, which is at least ten minutes
 * old: every node has read those notes by then. The time of a note wouldn't do, since it may be committed
 * much later. Notes and a mark restored from another server's dump have that server's transaction numbers, so
 * they are meaningless here and deleted.
 */
export async function forgetOldChanges({ query }: Write, atMost: number): Promise<number> {
  const foreign = await sql`
    delete from session_change where ctid = any(array(
      select ctid from session_change where xid >= pg_snapshot_xmax(pg_current_snapshot()) limit ${atMost}
    ))`.execute(query);
  const deletedForeign = Number(foreign.numAffectedRows ?? 0);
  if (deletedForeign === atMost) return deletedForeign;
  const mark = await readMark(query);
  if (!mark) return deletedForeign;
  const result = await sql`
    delete from session_change where ctid = any(array(
      select ctid from session_change where xid < cast(${mark.oldest} as xid8) order by xid limit ${atMost}
    ))`.execute(query);
  const deleted = Number(result.numAffectedRows ?? 0);
  if (deleted < atMost) await setMark(query);
  return deletedForeign + deleted;
}

/**
 * The mark, if it is old enough and this server's own: its number is then no higher than that of the
 * transaction that wrote its row. A mark from another server is replaced.
 */
async function readMark(query: Write["query"]): Promise<{ oldest: string } | undefined> {
  // Takes this transaction's number first, since age() in the next statement counts back from it.
  const { rows: taken } = await sql<{ own: string }>`select pg_current_xact_id()::text as own`.execute(query);
  const { rows } = await sql<{ oldest: string; isDue: boolean; isOwn: boolean }>`
    select oldest::text, at <= statement_timestamp() - cast(${KEPT} as interval) as "isDue",
      oldest::text::bigint <= cast(${taken[0]?.own} as bigint) - age(session_change_mark.xmin) as "isOwn"
    from session_change_mark`.execute(query);
  const [mark] = rows;
  if (mark?.isOwn === false) await setMark(query);
  return mark?.isOwn && mark.isDue ? mark : undefined;
}

async function setMark(query: Write["query"]): Promise<void> {
  await sql`
    update session_change_mark
    set oldest = pg_snapshot_xmin(pg_current_snapshot()), at = statement_timestamp()`.execute(query);
}
