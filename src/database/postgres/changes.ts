import { sql } from "kysely";
import type { Notice, Write } from "../database.ts";
import type { Deadline } from "../deadline.ts";
import { ask, type Client } from "./pool.ts";

/** Beyond this many changes since the last question, it is cheaper to read sessions anew. */
const MOST_CHANGES = 1_000;
/** How long after the last question the next one may come and still hear of every change, in ms. */
const HEARD_WITHIN = 10_000;
/** Later than any transaction: where to ask from before anything is known. */
const NEVER = "9223372036854775807";
/** What a note says where more rows have changed than are worth naming. */
const EVERYTHING = "*";
/** How many triggers write the notes, on three tables; they fire in replica mode too. */
const TRIGGERS = 10;

/** The ids of sessions and accounts that were changed; everything where it can't be said. */
export type Changes = readonly string[] | "everything";

type Answer = { snapshot: string; source: string; at: number; ids: string | null; count: number };

/**
 * What was committed between two snapshots: by transactions that began after the first, or were under way in
 * it. Sequence numbers wouldn't do, since transactions don't commit in the order in which they take them.
 * The source is another one after a failover, a crash (which may give out transaction numbers twice), a restore
 * or a TRUNCATE of the notes themselves.
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
 * Asks what has changed since it was asked the last time. One question at a time: only then is what the
 * last answer said applied before the next one is asked.
 */
export function createChangeQuestion(notice: Notice) {
  let last = START;
  let isMissed = false;

  /** Without its triggers a table changes unheard: then nothing is believed, and the operator hears of it once. */
  async function requireTriggers(client: Client, deadline: Deadline): Promise<boolean> {
    const { rows } = await ask<{ watched: boolean }>(client, { text: WATCHED }, deadline);
    const isWatched = rows[0]?.watched === true;
    if (!isWatched && !isMissed) notice("warn", MISSING);
    isMissed = !isWatched;
    return isWatched;
  }

  return async (client: Client, named: { name?: string }, deadline: Deadline): Promise<Changes> => {
    const before = last;
    // A question that fails is not asked once more in the same words: its answer may be what was too large.
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

/** Far longer than it takes any node to ask. */
const KEPT = "10 minutes";

/**
 * Deletes notes of transactions that had ended before the last mark, which is ten minutes old or older: every node
 * has heard of theirs by then. Not by the time of a note, since it may be committed much later. A mark and notes that
 * came with a dump of another server count that server's transactions: they say nothing here, and go.
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
 * The mark, where it is old enough and this server's own: it was set before, or by, the transaction that wrote its row.
 * Another one is set anew.
 */
async function readMark(query: Write["query"]): Promise<{ oldest: string } | undefined> {
  // Its number is taken before the next statement, whose age() counts back from it.
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
