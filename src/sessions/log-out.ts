import { lockAccount, lockSession } from "../database/lock.ts";
import { device } from "../history/actor.ts";
import { type Doer, type EndedBy, type EndingEvent, endBecauseOf } from "./endings.ts";
import { overAt } from "./expiry.ts";
import { readSessions } from "./list.ts";
import type { SessionParts } from "./parts.ts";

/**
 * Ends one session of an account, at the request of another session of that account. False if the account has
 * no such session; an id of another account looks the same as an unknown one. Also false if the session has
 * expired, since the list no longer shows it. Null if the asking session has ended meanwhile.
 */
export async function endOne(
  parts: SessionParts,
  which: { accountId: string; id: string; bySessionId: string },
  label: string,
  now: number,
): Promise<boolean | null> {
  const { accountId, id, bySessionId } = which;
  if (hasNullCharacter(id)) return false;
  const found = await readSessions(parts.database)
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  if (!found || overAt(parts, now)(found) !== null) return false;
  return parts.database.write(async (write) => {
    if (!(await lockSession(write, accountId, bySessionId))) return null;
    const doer = { by: device(label), at: now };
    const ended = await endBecauseOf(
      write,
      "logged_out_remotely",
      { accountId, id },
      doer,
      overAt(parts, now),
    );
    return ended > 0;
  });
}

/**
 * Ends every session of an account except the asking one, and the account's pending sign-ins.
 * Returns how many were live; null, with nothing ended, if the asking session has ended meanwhile.
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
    return endBecauseOf(write, "others_logged_out", others, doer, overAt(parts, now));
  });
}

/** Ends one session of any account, for the app or an administrator. False if there is no such session. */
export async function endAny(parts: SessionParts, id: string, doer: Doer): Promise<boolean> {
  if (hasNullCharacter(id)) return false;
  const found = await parts.database.read
    .selectFrom("session")
    .select("account_id as accountId")
    .where("id", "=", id)
    .executeTakeFirst();
  return found ? (await endInTransaction(parts, "logged_out_remotely", { ...found, id }, doer)) > 0 : false;
}

/** PostgreSQL rejects text with a null character, and no id has one. */
function hasNullCharacter(id: string): boolean {
  return id.includes("\0");
}

/**
 * Ends the sessions that an event ends, in a transaction that locks the account. Returns how many were live.
 */
export function endInTransaction<E extends EndingEvent>(
  parts: SessionParts,
  event: E,
  of: EndedBy<E> & { accountId: string },
  doer: Doer,
): Promise<number> {
  return parts.database.write(async (write) => {
    await lockAccount(write, of.accountId);
    return endBecauseOf(write, event, of, doer, overAt(parts, doer.at));
  });
}
