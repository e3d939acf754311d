import { EventEmitter } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import type { Database, Notice } from "../database.ts";
import type { Schema } from "../schema.ts";
import { transact } from "../transaction.ts";
import { checkpointInThread } from "./checkpoints.ts";
import { sqliteDialect } from "./connection.ts";
import { openSqliteFile } from "./file.ts";
import { strictLookUp } from "./lookup.ts";

/** How often to look for commits of other processes while pages are listening, in ms. */
const LOOK_INTERVAL = 250;

/**
 * The embedded database. All writes go through one connection, one at a time. Reads and the hot look-up
 * have a read-only connection each, which sees only what is committed.
 */
export function openSqlite(file: string, notice?: Notice): Database {
  const writing = openSqliteFile(file, notice);
  const reading = new DatabaseSync(file, { readOnly: true });
  reading.exec("pragma busy_timeout = 5000");
  const read = new Kysely<Schema>({ dialect: sqliteDialect(reading) });
  const { lookUp, ...looking } = strictLookUp(openForLookUp(file), writing, read);
  const checkpoints = checkpointInThread(file, writing);
  const afterTransaction = () => {
    looking.afterTransaction();
    checkpoints.afterTransaction();
  };
  const writer = new Kysely<Schema>({ dialect: sqliteDialect(writing, afterTransaction) });
  const announcements = new EventEmitter();
  const stopLooking = lookForOtherWriters(writing, announcements);
  const tell = (changed: ReadonlySet<string>) => {
    for (const accountId of changed) announcements.emit("changed", accountId);
  };

  return {
    engine: "sqlite",
    read,
    async write(work, durability) {
      const run = (connection: Kysely<Schema>) => transact(connection, { locksRows: false, tell }, work);
      return durability?.mayBeLost ? withoutSync(writing, writer, run) : run(writer);
    },
    lookUp,
    onAnnouncement(listener) {
      announcements.on("changed", listener);
      return () => announcements.off("changed", listener);
    },
    clockAhead: async () => 0,
    lockPruning: async () => true,
    forgetOldChanges: async () => 0,
    async close() {
      stopLooking();
      await writer.destroy();
      await checkpoints.close();
      looking.close();
      reading.close();
      writing.close();
    },
  };
}

/** Runs a transaction whose commit doesn't wait for the disk. */
function withoutSync<T>(
  writing: DatabaseSync,
  writer: Kysely<Schema>,
  run: (connection: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  // No other transaction begins until the connection is given back, so the setting applies to this one alone.
  return writer.connection().execute(async (connection) => {
    writing.exec("pragma synchronous = normal");
    try {
      return await run(connection);
    } finally {
      writing.exec("pragma synchronous = full");
    }
  });
}

/** How much of the file is mapped into memory, in bytes: reading a mapped page needs no system call. */
const MAPPED_BYTES = 2 ** 31;

/** The look-up has a connection of its own, since it opens read transactions. */
function openForLookUp(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  database.exec(`pragma busy_timeout = 5000; pragma mmap_size = ${MAPPED_BYTES}`);
  return database;
}

/** `data_version` changes when any other connection has committed, such as the command line's. */
function lookForOtherWriters(writing: DatabaseSync, announcements: EventEmitter): () => void {
  const version = writing.prepare("pragma data_version");
  let seen = version.get()?.data_version;
  const timer = setInterval(() => {
    if (announcements.listenerCount("changed") === 0) return;
    const now = version.get()?.data_version;
    if (now !== seen) announcements.emit("changed", "everyone");
    seen = now;
  }, LOOK_INTERVAL);
  timer.unref();
  return () => clearInterval(timer);
}
