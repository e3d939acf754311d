import { Kysely, sql } from "kysely";
import { createAnnouncements } from "./announcements.ts";
import type { Database, Write } from "./database.ts";
import { DatabaseUnavailable } from "./database.ts";
import { postgresDialect } from "./postgres-connection.ts";
import { listenToOtherNodes, tellOtherNodes } from "./postgres-listener.ts";
import { batchedLookUp } from "./postgres-lookup.ts";
import { openPool } from "./postgres-pool.ts";
import { preparePostgres } from "./postgres-schema.ts";
import type { Schema } from "./schema.ts";

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
  onWaiting: (error: DatabaseUnavailable) => void;
}): Promise<Database> {
  const pool = openPool(options.url, CONNECTIONS);
  const lookUpPool = openPool(options.url, LOOK_UP_CONNECTIONS);
  const ready = onceItWorks(() => preparePostgres(pool));
  await ready().catch(async (error: unknown) => {
    if (error instanceof DatabaseUnavailable) return options.onWaiting(error);
    await Promise.all([pool.end(), lookUpPool.end()]);
    throw error;
  });

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

  return {
    engine: "postgres",
    read: query,
    write: (work) => write(work),
    findSession: batchedLookUp(lookUpPool, { named: options.listenUrl === null, ready }),
    onAnnouncement(hear) {
      stopListening ??= listenToOtherNodes(options.listenUrl ?? options.url, announcements.tell);
      return announcements.listen(hear);
    },
    async clockAhead(now) {
      const result = await sql<{
        now: string;
      }>`select extract(epoch from clock_timestamp()) * 1000 as now`.execute(query);
      return Number(result.rows[0]?.now) - now;
    },
    async takeTurn({ query: transaction }) {
      const result = await sql<{
        got: boolean;
      }>`select pg_try_advisory_xact_lock(${PRUNE_LOCK}::bigint) as got`.execute(transaction);
      return result.rows[0]?.got === true;
    },
    async close() {
      await Promise.all([stopListening?.(), otherNodes.told()]);
      await Promise.all([pool.end(), lookUpPool.end()]);
    },
  };
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

function isDeadlock(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return code === "40P01" || code === "40001";
}
