import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { codeFile } from "../../own-files.ts";
import type { Asked } from "./checkpoint-worker.ts";

/** How many rows change before a checkpoint; with their indexes, some thousand pages. */
const ROWS_A_CHECKPOINT = 250;
/** With so many pages of 4 kB in the log, SQLite makes a checkpoint at the next commit; its own default is 1,000. */
const MOST_PAGES = 10_000;

/**
 * Checkpoints, which move what is committed from the write-ahead log to the file, in a thread of their own. By
 * itself SQLite makes one at a commit, which then writes a thousand pages and waits for the disk twice, and every
 * request with it; it still does so where the thread can't go on or doesn't keep up (decisions/0029).
 */
export function checkpointInThread(file: string, writing: DatabaseSync) {
  writing.exec(`pragma wal_autocheckpoint = ${MOST_PAGES}`);
  const changes = writing.prepare("select total_changes()");
  changes.setReturnArrays(true);
  let changedBefore = 0;
  let isUnderWay = false;
  let thread: Worker | undefined;

  /** The first checkpoint starts it: a command that changes a few rows needs none. */
  function start(): Worker {
    const fresh = new Worker(codeFile("database/sqlite/checkpoint-worker.ts"), { workerData: file });
    fresh.unref();
    fresh.on("message", () => {
      isUnderWay = false;
    });
    // What could not be moved stands in the log, safe, and the next checkpoint is made by a new thread.
    fresh.on("error", () => {});
    fresh.once("exit", () => {
      isUnderWay = false;
      thread = undefined;
    });
    return fresh;
  }

  return {
    /** To be called after each transaction. */
    afterTransaction(): void {
      const [changed] = changes.get() as unknown as [number];
      if (isUnderWay || changed - changedBefore < ROWS_A_CHECKPOINT) return;
      changedBefore = changed;
      try {
        thread ??= start();
        thread.postMessage("checkpoint" satisfies Asked);
        isUnderWay = true;
      } catch {
        // This process gets no more threads now: SQLite makes the checkpoint, at MOST_PAGES.
      }
    },
    /** Resolves once the thread has let go of the file. */
    async close(): Promise<void> {
      if (!thread) return;
      const { promise: gone, resolve } = Promise.withResolvers<unknown>();
      thread.once("exit", resolve).ref();
      thread.postMessage("close" satisfies Asked);
      await gone;
    },
  };
}
