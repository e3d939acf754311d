import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

const database = new DatabaseSync(workerData as string);
const checkpoint = database.prepare("pragma wal_checkpoint(passive)");

/** A message to the thread; it replies when a checkpoint is done. */
export type Asked = "checkpoint" | "close";

parentPort?.on("message", (asked: Asked) => {
  if (asked === "close") {
    database.close();
    parentPort?.close();
    return;
  }
  checkpoint.get();
  parentPort?.postMessage("done");
});
