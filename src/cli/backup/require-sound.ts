import { DatabaseSync } from "node:sqlite";
import { resultCode, SQLITE_NOTADB } from "../../database/sqlite/faults.ts";
import { schemaVersion, whyForeignFile } from "../../database/sqlite/file.ts";
import { CommandFailed } from "../terminal.ts";

/**
 * Reads a copy from its first page to its last. Returns the version of its schema.
 * @throws CommandFailed where it isn't a whole database of Latchkey; the sentence names what it was copied from.
 */
export function requireSound(copy: string, { of, noun }: { of: string; noun: string }): number {
  const foreign = new CommandFailed(`${of} is not a ${noun} of Latchkey.`);
  const damaged = new CommandFailed(`${of} is damaged; nothing was changed.`);
  const database = new DatabaseSync(copy);
  try {
    const version = schemaVersion(database);
    if (database.prepare("pragma quick_check(1)").get()?.quick_check !== "ok") throw damaged;
    if (version === 0 || whyForeignFile(database) !== null) throw foreign;
    return version;
  } catch (error) {
    const code = resultCode(error);
    if (code === null) throw error;
    throw code === SQLITE_NOTADB ? foreign : damaged;
  } finally {
    database.close();
  }
}
