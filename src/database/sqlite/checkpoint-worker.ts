import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

const open = new DatabaseSync(workerData as string);
const checkpoint = open.prepare("pragma wal_checkpoint(passive)");

/** What the thread is asked for; it answers a checkpoint once that is over. */
export type Asked = "checkpoint" | "close";

parentPort?.on("message", (asked: Asked) => {
  if (asked === "close") {
    open.close();
    parentPort?.close();
    return;
  }
  checkpoint.get();
  parentPort?.postMessage("done");
});
