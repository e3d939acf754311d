import type { Database } from "../database/database.ts";
import { lockAccount, lockSession } from "../database/lock.ts";
import type { Ending, Lives, SessionSelector } from "./endings.ts";
import { endBecauseOf, endSessions } from "./endings.ts";
import { IDLE_MARGIN, overByTime } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";
import { MOST_SESSIONS } from "./start.ts";

export type ListedSession = {
  id: string;
  accountId: string;
  label: string;
  browser: string | null;
  os: string | null;
  createdAt: number;
  lastUsedAt: number;
  expiresAt: number;
  signedInWith: "password" | "passkey" | "oidc";
};

/**
 * The live sessions of an account that were used last, by the same rule of time that a request meets. The
 * database sorts and limits by what is written of their use; what this process has seen since refines it.
 */
export async function listSessions(
  parts: SessionParts,
  accountId: string,
  now: number,
): Promise<ListedSession[]> {
  const { idleTimeout } = parts.settings;
  const rows = await readSessions(parts.database)
    .where("account_id", "=", accountId)
    .where("expires_at", ">", now)
    .$if(idleTimeout !== null, (query) =>
      query.where("last_used_at", ">", now - (idleTimeout ?? 0) - IDLE_MARGIN),
    )
    .orderBy("last_used_at", "desc")
    .orderBy("created_at", "desc")
    .limit(MOST_SESSIONS)
    .execute();
  return rows
    .map((row) => ({ ...row, lastUsedAt: parts.lastUsed.of(row.id, row.lastUsedAt) }))
    .filter(lives(parts, now))
    .sort((one, other) => other.lastUsedAt - one.lastUsedAt || other.createdAt - one.createdAt);
}

/** Whether a session isn't over by time. */
function lives(parts: SessionParts, now: number): Lives {
  return ({ id, expiresAt, lastUsedAt }) =>
    overByTime(expiresAt, parts.lastUsed.of(id, lastUsedAt), parts.settings, now) === null;
}

/** The columns that a list shows; never a token or its hash. */
export function readSessions(database: Database) {
  return database.read
    .selectFrom("session")
    .select([
      "id",
      "account_id as accountId",
      "label",
      "browser",
      "os",
      "created_at as createdAt",
      "last_used_at as lastUsedAt",
      "expires_at as expiresAt",
      "signed_in_with as signedInWith",
    ]);
}

/** Ends one session of a known account, for itself or for an operator. False where it has ended already. */
export async function endKnown(
  database: Database,
  which: Required<Pick<SessionSelector, "accountId" | "id">>,
  ending: Ending,
): Promise<boolean> {
  return database.write(async (write) => {
    await lockAccount(write, which.accountId);
    return (await endSessions(write, which, ending)) > 0;
  });
}

/** Ends one session, whosever it is. False where there is none. */
export async function endAny(database: Database, id: string, ending: Ending): Promise<boolean> {
  const found = await database.read
    .selectFrom("session")
    .select("account_id as accountId")
    .where("id", "=", id)
    .executeTakeFirst();
  return found !== undefined && endKnown(database, { ...found, id }, ending);
}

/** Ends every session of an account, but one where one is named. Returns how many, those that were over by time too. */
export async function endAllOf(
  database: Database,
  event: "others_logged_out" | "ended_by_operator",
  of: { accountId: string; exceptId?: string; by: string | null; at: number },
): Promise<number> {
  return database.write(async (write) => {
    await lockAccount(write, of.accountId);
    return endBecauseOf(write, event, of);
  });
}

/**
 * Ends one session of an account, for another one of it. False where the account has no such session: a
 * foreign id and an unknown one look the same. One that is over by time is no longer in the list, so it
 * isn't found either; nor is anything for an asking session that has ended meanwhile.
 */
export async function endOne(
  parts: SessionParts,
  which: { accountId: string; id: string; bySessionId: string },
  ending: Ending,
): Promise<boolean> {
  const { accountId, id, bySessionId } = which;
  // No id has one, and PostgreSQL takes no text that does.
  if (id.includes("\0")) return false;
  const found = await readSessions(parts.database)
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  if (!found || !lives(parts, ending.at)(found)) return false;
  return parts.database.write(async (write) => {
    if (!(await lockSession(write, accountId, bySessionId))) return false;
    return (await endSessions(write, { accountId, id }, ending)) > 0;
  });
}

/**
 * Ends every session of an account but the one that asks, and the pending sign-ins.
 * Returns how many were live; null where the asking session has ended meanwhile, and then nothing ends.
 */
export async function endOthers(
  parts: SessionParts,
  which: { accountId: string; exceptId: string },
  by: string,
  now: number,
): Promise<number | null> {
  return parts.database.write(async (write) => {
    if (!(await lockSession(write, which.accountId, which.exceptId))) return null;
    const of = { ...which, by, at: now };
    return endBecauseOf(write, "others_logged_out", of, lives(parts, now));
  });
}
