import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** The file itself, and what SQLite keeps beside a database. */
const PARTS = ["", "-journal", "-wal", "-shm"];

/**
 * Runs `work` on a draft, to which it gives the file's own name once it is whole. Whatever is left of the draft is
 * removed, even when a signal ends the process.
 */
export async function withDraft<T>(file: string, work: (draft: string) => Promise<T>): Promise<T> {
  const draft = `${file}.draft-${randomBytes(6).toString("hex")}`;
  const remove = () => {
    for (const part of PARTS) rmSync(draft + part, { force: true });
  };
  const end = (signal: NodeJS.Signals) => {
    remove();
    // Nobody listens any more: the process ends as whoever sent the signal expects.
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
