import type { Database } from "../database/database.ts";
import { lockAccount, lockSession } from "../database/lock.ts";
import { device } from "../history/actor.ts";
import { type Doer, type EndedBy, type EndingEvent, endBecauseOf } from "./endings.ts";
import { aliveAt, readSessions } from "./list.ts";
import type { SessionParts } from "./parts.ts";

/**
 * Ends one session of an account, at the request of another one of it. False where the account has no such
 * session: another account's id and an unknown one look the same. One that is over by time is no longer in the
 * list, so it isn't found either; nor is anything where the session that asks has ended meanwhile.
 */
export async function endOne(
  parts: SessionParts,
  which: { accountId: string; id: string; bySessionId: string },
  label: string,
  now: number,
): Promise<boolean> {
  const { accountId, id, bySessionId } = which;
  if (hasNullCharacter(id)) return false;
  const found = await readSessions(parts.database)
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  if (!found || !aliveAt(parts, now)(found)) return false;
  return parts.database.write(async (write) => {
    if (!(await lockSession(write, accountId, bySessionId))) return false;
    const doer = { by: device(label), at: now };
    return (await endBecauseOf(write, "logged_out_remotely", { accountId, id }, doer)) > 0;
  });
}

/**
 * Ends every session of an account except the one that asks, and the pending sign-ins.
 * Returns how many were live; null where the asking session has ended meanwhile, and then nothing ends.
 */
export async function endOthers(
  parts: SessionParts,
  { accountId, exceptId }: { accountId: string; exceptId: string },
  label: string,
  now: number,
): Promise<number | null> {
  return parts.database.write(async (write) => {
    if (!(await lockSession(write, accountId, exceptId))) return null;
    const others = { accountId, exceptIds: [exceptId] } as const;
    const doer = { by: device(label), at: now };
    return endBecauseOf(write, "others_logged_out", others, doer, aliveAt(parts, now));
  });
}

/** Ends one session of any account, for the app or an administrator. False where there is none. */
export async function endAny(database: Database, id: string, doer: Doer): Promise<boolean> {
  if (hasNullCharacter(id)) return false;
  const found = await database.read
    .selectFrom("session")
    .select("account_id as accountId")
    .where("id", "=", id)
    .executeTakeFirst();
  return found
    ? (await endInTransaction(database, "logged_out_remotely", { ...found, id }, doer)) > 0
    : false;
}

/** PostgreSQL takes no text with a null character, and no id has one. */
function hasNullCharacter(id: string): boolean {
  return id.includes("\0");
}

/**
 * Ends what an event ends, in a transaction that locks the account. Returns how many sessions, those that were over
 * by time too.
 */
export function endInTransaction<E extends EndingEvent>(
  database: Database,
  event: E,
  of: EndedBy<E> & { accountId: string },
  doer: Doer,
): Promise<number> {
  return database.write(async (write) => {
    await lockAccount(write, of.accountId);
    return endBecauseOf(write, event, of, doer);
  });
}
