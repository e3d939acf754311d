import { Kysely, sql } from "kysely";
import { createAnnouncements } from "../announcements.ts";
import type { Database, Notice, Write } from "../database.ts";
import { DatabaseUnavailable } from "../database.ts";
import type { Schema } from "../schema.ts";
import { hashToken } from "../token-hash.ts";
import { postgresDialect } from "./connection.ts";
import { requireReadable } from "./connection-config.ts";
import { isDeadlock } from "./faults.ts";
import type { ListenLine } from "./listener.ts";
import { listenToOtherNodes, tellOtherNodes } from "./listener.ts";
import { batchedLookUp } from "./lookup.ts";
import { closePool, openPool } from "./pool.ts";
import { preparePostgres } from "./schema.ts";

const CONNECTIONS = 10;
/** Checks have connections of their own, so that slow writes never hold them up. */
const LOOK_UP_CONNECTIONS = 2;
const PRUNE_LOCK = 7_305_881_202;
const TRIES_AFTER_DEADLOCK = 3;

/**
 * PostgreSQL, shared by any number of nodes. Where it can't be reached at the start, Latchkey starts all
 * the same, answers 503, and prepares the schema with the first connection that it gets.
 * @throws DatabaseUnusable where it answers but can't be used.
 */
export async function openPostgres(options: {
  url: string;
  /** A direct line where `url` goes through a pooler; its presence means that statements can't be named. */
  listenUrl: string | null;
  notice: Notice;
}): Promise<Database> {
  const { url, listenUrl, notice } = options;
  const line = listenLine({ url, listenUrl });
  requireReadable("DATABASE_URL", url);
  requireReadable(line.setting, line.url);
  const pool = openPool(url, CONNECTIONS);
  const lookUpPool = openPool(url, LOOK_UP_CONNECTIONS);
  const closePools = () => Promise.all([closePool(pool), closePool(lookUpPool)]);
  const prepared = onceItWorks(() => preparePostgres(pool));
  await prepared().catch(async (error: unknown) => {
    if (error instanceof DatabaseUnavailable)
      return notice("warn", `${error.message} Answering 503 until DATABASE_URL can be used.`, error.cause);
    await closePools();
    throw error;
  });
  const ready = () => prepared().catch(asNotNow);

  const query = new Kysely<Schema>({ dialect: postgresDialect(pool, ready) });
  const announcements = createAnnouncements();
  const otherNodes = tellOtherNodes(query);
  let stopListening: (() => Promise<void>) | undefined;

  async function write<T>(work: (write: Write) => Promise<T>, tries = TRIES_AFTER_DEADLOCK): Promise<T> {
    const changed = new Set<string>();
    try {
      const result = await query
        .transaction()
        .execute((transaction) =>
          work({ query: transaction, locksRows: true, announce: (accountId) => changed.add(accountId) }),
        );
      for (const accountId of changed) announcements.tell(accountId);
      otherNodes.tell(changed);
      return result;
    } catch (error) {
      if (tries > 1 && isDeadlock(error)) return write(work, tries - 1);
      throw error;
    }
  }

  const findByHash = batchedLookUp(lookUpPool, { named: listenUrl === null, ready, notice });
  return {
    engine: "postgres",
    read: query,
    write: (work) => write(work),
    findSession: (token) => findByHash(hashToken(token)),
    onAnnouncement(hear) {
      stopListening ??= listenToOtherNodes(line, announcements.tell, notice);
      return announcements.listen(hear);
    },
    async clockAhead(clock) {
      const before = clock();
      const result = await sql<{
        now: string;
      }>`select extract(epoch from clock_timestamp()) * 1000 as now`.execute(query);
      const after = clock();
      const there = Number(result.rows[0]?.now);
      return there < before ? there - before : Math.max(0, there - after);
    },
    async takeTurn({ query: transaction }) {
      const result = await sql<{
        got: boolean;
      }>`select pg_try_advisory_xact_lock(${PRUNE_LOCK}::bigint) as got`.execute(transaction);
      return result.rows[0]?.got === true;
    },
    async close() {
      await Promise.all([stopListening?.(), otherNodes.told()]);
      await closePools();
    },
  };
}

/** The line that hears announcements: what goes through a pooler hears nothing. */
export function listenLine({ url, listenUrl }: { url: string; listenUrl: string | null }): ListenLine {
  return listenUrl === null
    ? { url, setting: "DATABASE_URL" }
    : { url: listenUrl, setting: "LATCHKEY_LISTEN_URL" };
}

/** Runs `work` until it has worked once; whoever asks meanwhile shares the try under way. */
function onceItWorks(work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  return () => {
    current ??= work().catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    return current;
  };
}

/** What stops a start is no bug of a request: it answers 503 until the operator has seen to it. */
function asNotNow(error: unknown): never {
  if (!(error instanceof Error) || error instanceof DatabaseUnavailable) throw error;
  throw new DatabaseUnavailable(error.message, { cause: error });
}
