import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { Kysely, sql } from "kysely";
import { type Database, DatabaseUnavailable, type Notice, type Write } from "../database.ts";
import type { Schema } from "../schema.ts";
import { transact } from "../transaction.ts";
import { forgetOldChanges } from "./changes.ts";
import { postgresDialect } from "./connection.ts";
import { requireReadable } from "./connection-config.ts";
import { isDeadlock } from "./faults.ts";
import { listenTarget, listenToOtherNodes, tellOtherNodes } from "./listener.ts";
import { strictLookUp } from "./lookup.ts";
import { closePool, openPool } from "./pool.ts";
import { preparePostgres } from "./prepare.ts";

const CONNECTIONS = 10;
/**
 * Look-ups have a connection of their own, so that slow writes never delay them; they use it one at a time.
 */
const LOOK_UP_CONNECTIONS = 1;
const PRUNE_LOCK = 7_305_881_202;
const DEADLOCK_TRIES = 3;

/**
 * PostgreSQL, shared by any number of nodes. If it can't be reached at the start, Latchkey starts anyway,
 * answers 503, and prepares the schema with the first connection that it gets.
 * @throws DatabaseUnusable if the server answers but can't be used.
 */
export async function openPostgres(options: {
  url: string;
  /** A direct connection, set if `url` goes through a pooler; statements are then not prepared by name. */
  listenUrl: string | null;
  notice: Notice;
}): Promise<Database> {
  const { url, listenUrl, notice } = options;
  const target = listenTarget(url, listenUrl);
  requireReadable("DATABASE_URL", url);
  requireReadable(target.setting, target.url);
  const endsAtServer = listenUrl === null;
  const pool = openPool(url, CONNECTIONS, { endsAtServer });
  const lookUpPool = openPool(url, LOOK_UP_CONNECTIONS, { endsAtServer });
  const closePools = () => Promise.all([closePool(pool), closePool(lookUpPool)]);
  const prepared = onceItWorks(() => preparePostgres(pool, notice));
  await prepared().catch(async (error: unknown) => {
    if (error instanceof DatabaseUnavailable)
      return notice("warn", `${error.message} Answering 503 until DATABASE_URL can be used.`, error.cause);
    await closePools();
    throw error;
  });
  const ready = () => prepared().catch(asNotNow);

  const query = new Kysely<Schema>({ dialect: postgresDialect(pool, ready) });
  const announcements = new EventEmitter();
  const node = randomUUID();
  const otherNodes = tellOtherNodes(query, node);
  let stopListening: (() => Promise<void>) | undefined;

  const announce = (accountId: string) => announcements.emit("changed", accountId);
  const tell = (changed: ReadonlySet<string>) => {
    for (const accountId of changed) announce(accountId);
    otherNodes.tell(changed);
  };
  async function write<T>(work: (write: Write) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await transact(query, { locksRows: true, tell }, work);
      } catch (error) {
        if (tries === DEADLOCK_TRIES || !isDeadlock(error)) throw error;
      }
    }
  }

  return {
    engine: "postgres",
    read: query,
    write,
    lookUp: strictLookUp(lookUpPool, { named: listenUrl === null, ready, notice, read: query }),
    onAnnouncement(listener) {
      stopListening ??= listenToOtherNodes(target, node, announce, notice);
      announcements.on("changed", listener);
      return () => announcements.off("changed", listener);
    },
    clockAhead: (clock) => clockAhead(query, clock),
    lockPruning,
    forgetOldChanges,
    async close() {
      await Promise.all([stopListening?.(), otherNodes.told()]);
      await closePools();
    },
  };
}

async function clockAhead(query: Kysely<Schema>, clock: () => number): Promise<number> {
  const before = clock();
  const text = sql<{ now: string }>`select extract(epoch from clock_timestamp()) * 1000 as now`;
  const { rows } = await text.execute(query);
  const after = clock();
  const there = Number(rows[0]?.now);
  return there < before ? there - before : Math.max(0, there - after);
}

async function lockPruning({ query }: Write): Promise<boolean> {
  const text = sql<{ got: boolean }>`select pg_try_advisory_xact_lock(${PRUNE_LOCK}::bigint) as got`;
  return (await text.execute(query)).rows[0]?.got === true;
}

/** Runs `work` with each call until it has succeeded once; concurrent calls share the try under way. */
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

/**
 * A database that would stop a start isn't a request's fault: requests get 503 until the operator has fixed
 * it.
 */
function asNotNow(error: unknown): never {
  if (!(error instanceof Error) || error instanceof DatabaseUnavailable) throw error;
  throw new DatabaseUnavailable(error.message, { cause: error });
}
