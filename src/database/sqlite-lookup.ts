import type { DatabaseSync } from "node:sqlite";
import type { FindSession, FoundSession } from "./database.ts";
import { FOUND_SESSION_COLUMNS, FOUND_SESSION_TABLES } from "./database.ts";

/** About 20 MB; then it is emptied and fills again. */
const MOST_REMEMBERED = 50_000;

/**
 * The hot look-up. What it remembers it trusts only while the database says that nothing was committed
 * since, by any connection of any process: `data_version` is asked at every look-up, which costs a
 * fraction of the look-up itself. So a session ended by the command line is refused at the very next
 * request.
 */
export function strictLookUp(reading: DatabaseSync): FindSession {
  const find = reading.prepare(
    `select ${FOUND_SESSION_COLUMNS} from ${FOUND_SESSION_TABLES} where session.token_hash = ?`,
  );
  const version = reading.prepare("pragma data_version");
  version.setReturnArrays(true);
  const remembered = new Map<string, FoundSession>();
  let seen: unknown;

  return (tokenHash) => {
    const [current] = version.get() as unknown as [number];
    if (current !== seen || remembered.size > MOST_REMEMBERED) remembered.clear();
    seen = current;
    const key = Buffer.from(tokenHash).toString("latin1");
    const known = remembered.get(key);
    if (known) return known;
    const row = find.get(tokenHash);
    if (!row) return undefined;
    // A plain object: rows come without a prototype and in a slow form.
    const found = { ...row } as FoundSession;
    remembered.set(key, found);
    return found;
  };
}
