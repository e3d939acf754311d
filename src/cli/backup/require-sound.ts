import { DatabaseSync } from "node:sqlite";
import { isDamaged, resultCode, SQLITE_NOTADB } from "../../database/sqlite/faults.ts";
import { schemaVersion, whyForeignFile } from "../../database/sqlite/file.ts";
import { CommandFailed } from "../terminal.ts";

/** Names the file that was copied (`of`) and what it should be, for the error if it isn't. */
type Copied = { of: string; noun: "backup" | "database" };

/**
 * Reads every page of a copy, and returns the version of its schema.
 * @throws CommandFailed if it isn't a complete Latchkey database.
 */
export function requireSound(copy: string, copied: Copied): number {
  const database = new DatabaseSync(copy);
  try {
    const version = schemaVersion(database);
    if (database.prepare("pragma quick_check(1)").get()?.quick_check !== "ok") throw damaged(copied);
    if (version === 0 || whyForeignFile(database) !== null) throw foreign(copied);
    return version;
  } catch (error) {
    throw whyUnsound(error, copied) ?? error;
  } finally {
    database.close();
  }
}

/** The error to show if SQLite says that the file is damaged; null for any other error, such as a full disk. */
export function whyUnsound(error: unknown, copied: Copied): CommandFailed | null {
  if (!isDamaged(error)) return null;
  return resultCode(error) === SQLITE_NOTADB ? foreign(copied) : damaged(copied);
}

const foreign = ({ of, noun }: Copied) => new CommandFailed(`${of} is not a ${noun} of Latchkey.`);
const damaged = ({ of }: Copied) => new CommandFailed(`${of} is damaged; nothing was changed.`);
