import type { Database, Write } from "../database/database.ts";
import { makeSortedId } from "../database/sorted-id.ts";

export type ActivityKind =
  | "account_created"
  | "signed_in"
  | "sign_in_failed"
  | "two_factor_failed"
  | "session_ended"
  | "password_changed"
  | "password_reset_requested"
  | "password_reset"
  | "email_change_requested"
  | "email_changed"
  | "email_verified"
  | "two_factor_on"
  | "two_factor_off"
  | "recovery_code_used"
  | "recovery_codes_renewed"
  | "method_added"
  | "method_removed"
  | "cookie_copy_used";

export type Detail = Record<string, string | number | null>;

export type ActivityEntry = {
  accountId: string;
  kind: ActivityKind;
  at: number;
  /** The device that did it; for `session_ended` the device whose session ended. */
  label: string;
  detail?: Detail;
};

const ROWS_A_STATEMENT = 400;
const EVENTS_A_PAGE = 50;

/** Records what happened, in the transaction in which it happened. */
export async function record(write: Write, ...entries: ActivityEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += ROWS_A_STATEMENT) {
    const rows = entries
      .slice(start, start + ROWS_A_STATEMENT)
      .map(({ accountId, kind, at, label, detail = {} }) => ({
        id: makeSortedId(at),
        account_id: accountId,
        kind,
        at,
        label,
        detail: JSON.stringify(detail),
      }));
    await write.query.insertInto("activity").values(rows).execute();
  }
}

/**
 * Records a failure, or raises the count of the newest event if it is of the same kind, so that somebody's
 * guesses are one line. The caller has locked the account; otherwise two requests at once could read the same
 * count.
 */
export async function recordFolded(write: Write, entry: ActivityEntry): Promise<void> {
  const newest = await write.query
    .selectFrom("activity")
    .select(["id", "kind", "detail"])
    .where("account_id", "=", entry.accountId)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  if (newest?.kind !== entry.kind) {
    return record(write, { ...entry, detail: { ...entry.detail, count: 1 } });
  }
  const before: Detail = JSON.parse(newest.detail);
  const detail = JSON.stringify({ ...before, ...entry.detail, count: Number(before.count ?? 1) + 1 });
  await write.query
    .updateTable("activity")
    .set({ at: entry.at, label: entry.label, detail })
    .where("id", "=", newest.id)
    .execute();
}

/** A page of an account's activity, newest first; null if `before` isn't an event of this account. */
export async function readActivity(database: Database, accountId: string, before: string | null) {
  const events = database.read.selectFrom("activity").where("account_id", "=", accountId);
  if (before !== null && !(await events.select("id").where("id", "=", before).executeTakeFirst()))
    return null;
  const page = before === null ? events : events.where("id", "<", before);
  const rows = await page
    .select(["id", "kind", "at", "label", "detail"])
    .orderBy("id", "desc")
    .limit(EVENTS_A_PAGE)
    .execute();
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Detail }));
}
