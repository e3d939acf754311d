import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** Suffixes of a database file and of the files that SQLite keeps beside it. */
const PARTS = ["", "-journal", "-wal", "-shm"];

/**
 * Runs `work` on a draft, which `work` gives the file's own name once it is whole. Whatever is left of the draft is
 * removed, even if a signal ends the process.
 */
export async function withDraft<T>(file: string, work: (draft: string) => Promise<T>): Promise<T> {
  const draft = `${file}.draft-${randomBytes(6).toString("hex")}`;
  const remove = () => {
    for (const part of PARTS) rmSync(draft + part, { force: true });
  };
  const end = (signal: NodeJS.Signals) => {
    remove();
    // No handler is left, so the signal now ends the process, as its sender expects.
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.once(signal, end);
  try {
    return await work(draft);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
    remove();
  }
}
