import { sql } from "kysely";
import type { Database, Write } from "../database/database.ts";
import type { Share } from "./layout.ts";

const HOUR = 60 * 60_000;

/**
 * How many emails an address may be sent in an hour: 20 in all. Ordinary emails and notices share the first
 * 10, of which ordinary ones may use only 6, so that a flood of them can't crowd out notices. The other 10
 * are reserved for the emails with which an owner regains access: 5 resets and 5 changes of address can be
 * requested in an hour. Only browsers that the account knows can request more resets.
 */
const MOST: Record<Exclude<Share, "rescue" | "tally">, number> = { ordinary: 6, notice: 10 };

const ROWS_A_BATCH = 200;

type Recipient = { email: string; key: string };

/** An address whose hour is over, and how many emails to it were held back in that hour. */
export type HeldBack = { email: string; count: number };

/**
 * Counts an email to an address, whichever node sends it. Returns whether it may go out, and what was held
 * back in the previous hour if the address hasn't been told yet.
 */
export async function takeFromBudget(
  write: Write,
  to: Recipient,
  share: Share,
  now: number,
): Promise<{ goes: boolean; before: HeldBack | null }> {
  if (share === "rescue" || share === "tally") return { goes: true, before: null };
  const [over] = await write.query
    .deleteFrom("email_budget")
    .where("email_key", "=", to.key)
    .where("window_ends_at", "<=", now)
    .returning(["email", "held_back as count"])
    .execute();
  const goes = await count(write, to, MOST[share], now);
  if (!goes) await holdBack(write, to);
  return { goes, before: over && over.count > 0 ? over : null };
}

/** Whether the hour of any address is over. */
export async function isAnyHourOver({ read }: Database, now: number): Promise<boolean> {
  const over = read.selectFrom("email_budget").where("window_ends_at", "<=", now);
  return (await over.select("email_key").limit(1).executeTakeFirst()) !== undefined;
}

/** Deletes and returns a batch of addresses whose hour is over, each to one caller only. */
export async function takeHoursOver({ query, locksRows }: Write, now: number): Promise<HeldBack[]> {
  const taken = await query
    .deleteFrom("email_budget")
    .where("email_key", "in", (from) =>
      from
        .selectFrom("email_budget")
        .select("email_key")
        .where("window_ends_at", "<=", now)
        .limit(ROWS_A_BATCH)
        .$if(locksRows, (rows) => rows.forUpdate().skipLocked()),
    )
    .returning(["email", "held_back as count"])
    .execute();
  return taken.filter(({ count }) => count > 0);
}

/** Checks and counts in one statement, so that no two emails get the last slot; false if none is left. */
async function count({ query }: Write, { email, key }: Recipient, most: number, now: number) {
  const counted = await query
    .insertInto("email_budget")
    .values({ email_key: key, email, sent: 1, held_back: 0, window_ends_at: now + HOUR })
    .onConflict((conflict) =>
      conflict
        .column("email_key")
        .doUpdateSet({ sent: sql`email_budget.sent + 1` })
        .where("email_budget.sent", "<", most),
    )
    .returning("sent")
    .executeTakeFirst();
  return counted !== undefined;
}

async function holdBack({ query }: Write, { key }: Recipient): Promise<void> {
  await query
    .updateTable("email_budget")
    .set({ held_back: sql`held_back + 1` })
    .where("email_key", "=", key)
    .execute();
}
