import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { codeFile } from "../../own-files.ts";
import type { Asked } from "./checkpoint-worker.ts";

/** How many rows change before a checkpoint; with their indexes, that is about a thousand pages. */
const ROWS_A_CHECKPOINT = 250;
/** How many pages of 4 kB the log holds before SQLite itself makes a checkpoint; its default is 1,000. */
const MOST_PAGES = 10_000;

/**
 * Runs checkpoints, which move committed pages from the write-ahead log to the file, in a thread of their
 * own. By default SQLite runs them at a commit, which then writes a thousand pages and waits for the disk
 * twice, while every request waits. It still does so if the thread fails or doesn't keep up (decisions/0029).
 */
export function checkpointInThread(file: string, writing: DatabaseSync) {
  writing.exec(`pragma wal_autocheckpoint = ${MOST_PAGES}`);
  const changes = writing.prepare("select total_changes()");
  changes.setReturnArrays(true);
  let changedBefore = 0;
  let isUnderWay = false;
  let thread: Worker | undefined;

  /** The first checkpoint starts the thread: a command that changes few rows needs none. */
  function start(): Worker {
    const fresh = new Worker(codeFile("database/sqlite/checkpoint-worker.ts"), { workerData: file });
    fresh.unref();
    fresh.on("message", () => {
      isUnderWay = false;
    });
    // Pages that could not be moved are safe in the log, and the next checkpoint starts a new thread.
    fresh.on("error", () => {});
    fresh.once("exit", () => {
      isUnderWay = false;
      thread = undefined;
    });
    return fresh;
  }

  return {
    /** Must be called after each transaction. */
    afterTransaction(): void {
      const [changed] = changes.get() as unknown as [number];
      if (isUnderWay || changed - changedBefore < ROWS_A_CHECKPOINT) return;
      changedBefore = changed;
      try {
        thread ??= start();
        thread.postMessage("checkpoint" satisfies Asked);
        isUnderWay = true;
      } catch {
        // No thread can be started now: SQLite runs a checkpoint itself at MOST_PAGES.
      }
    },
    /** Resolves once the thread has closed the file. */
    async close(): Promise<void> {
      if (!thread) return;
      const { promise: gone, resolve } = Promise.withResolvers<unknown>();
      thread.once("exit", resolve).ref();
      thread.postMessage("close" satisfies Asked);
      await gone;
    },
  };
}
