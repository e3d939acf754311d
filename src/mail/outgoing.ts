import { randomUUID } from "node:crypto";
import type { Selectable } from "kysely";
import { type Database, MAY_BE_LOST, type Write } from "../database/database.ts";
import type { OutgoingEmailTable } from "../database/email-tables.ts";
import { makeSortedId } from "../database/sorted-id.ts";
import type { Message } from "./layout.ts";

const DAY = 86_400_000;

/**
 * How long a sender's claim on an email lasts, in ms; a sender that is still busy with it renews the claim.
 */
export const CLAIM_LIFETIME = 120_000;
/** How long an email that this node's key can't decrypt is left to other nodes, in ms. */
const UNREADABLE_PAUSE = 600_000;

export type OutgoingEmail = { to: string; message: Message };

/** Encrypts emails at rest, each bound to its row. */
export type EmailSeal = {
  close(plain: string, boundTo: string): Uint8Array;
  /** @throws if no key fits. */
  open(sealed: Uint8Array, boundTo: string): string;
};

/** Whether an email may go out at all; called once, in the transaction that claims it for its first try. */
export type Admit = (write: Write, email: OutgoingEmail, now: number) => Promise<boolean>;

/** An email that this sender has claimed for a while. */
export type Claimed = OutgoingEmail & {
  id: string;
  /** The UUID of its Message-ID, the same in all tries. */
  uuid: string;
  at: number;
  tries: number;
  expiresAt: number;
};

export type ClaimResult = Claimed | { heldBack: true; share: string } | { unreadable: unknown } | null;

/** The context that an email's seal is bound to. */
export function sealedFor(id: string): string {
  return `outgoing_email:${id}`;
}

/**
 * Writes emails in the transaction that causes them: a committed change has its emails, even if the process
 * dies right after it; one that is rolled back has none. An email expires after a day, or with its link if
 * that is sooner.
 */
export async function storeEmails(
  seal: EmailSeal,
  write: Write,
  emails: readonly OutgoingEmail[],
  now: number,
): Promise<void> {
  for (const { to, message } of emails) {
    const id = makeSortedId(now);
    const plain = JSON.stringify({ to, message, uuid: randomUUID() });
    const row = { id, sealed: seal.close(plain, sealedFor(id)), created_at: now, next_try_at: now };
    const expires_at = Math.min(now + DAY, message.expiresAt ?? Number.POSITIVE_INFINITY);
    await write.query
      .insertInto("outgoing_email")
      .values({ ...row, expires_at, tries: 0, failure: null })
      .execute();
  }
}

/** Claims the next due email, for only one sender on any node. Null if none is due. */
export async function claimNext(
  database: Database,
  { seal, admit }: { seal: EmailSeal; admit: Admit },
  now: number,
): Promise<ClaimResult> {
  const isDue = database.read.selectFrom("outgoing_email").select("id").where("next_try_at", "<=", now);
  if (!(await isDue.where("expires_at", ">", now).limit(1).executeTakeFirst())) return null;
  return database.write(async (write) => {
    const row = await write.query
      .selectFrom("outgoing_email")
      .selectAll()
      .where("next_try_at", "<=", now)
      .where("expires_at", ">", now)
      .orderBy("next_try_at")
      .orderBy("id")
      .limit(1)
      .$if(write.locksRows, (query) => query.forUpdate().skipLocked())
      .executeTakeFirst();
    return row ? claim(write, row, { seal, admit }, now) : null;
  }, MAY_BE_LOST);
}

async function claim(
  write: Write,
  row: Selectable<OutgoingEmailTable>,
  { seal, admit }: { seal: EmailSeal; admit: Admit },
  now: number,
): Promise<ClaimResult> {
  const { id, created_at: at, expires_at: expiresAt } = row;
  const update = write.query.updateTable("outgoing_email").where("id", "=", id);
  const opened = openRow(seal, row);
  if ("unreadable" in opened) {
    await update.set({ next_try_at: now + UNREADABLE_PAUSE, failure: "key" }).execute();
    return opened;
  }
  const { to, message, uuid } = opened;
  if (row.tries === 0 && !(await admit(write, { to, message }, now))) {
    await deleteEmail(write, id);
    return { heldBack: true, share: message.share ?? "ordinary" };
  }
  const tries = row.tries + 1;
  await update.set({ tries, next_try_at: now + CLAIM_LIFETIME }).execute();
  return { id, uuid, to, message, at, tries, expiresAt };
}

function openRow(
  seal: EmailSeal,
  { id, sealed }: Selectable<OutgoingEmailTable>,
): (OutgoingEmail & { uuid: string }) | { unreadable: unknown } {
  try {
    return JSON.parse(seal.open(sealed, sealedFor(id)));
  } catch (error) {
    return { unreadable: error };
  }
}

export async function deleteEmail({ query }: Write, id: string): Promise<void> {
  await query.deleteFrom("outgoing_email").where("id", "=", id).execute();
}

export type NextTry = { next_try_at: number; failure?: string; tries?: number };

/** Sets when an email may be tried next, unless another sender has claimed it meanwhile. */
export async function postpone({ query }: Write, { id, tries }: Claimed, next: NextTry): Promise<void> {
  await query
    .updateTable("outgoing_email")
    .set(next)
    .where("id", "=", id)
    .where("tries", "=", tries)
    .execute();
}

/** When the next email is to be tried; null if none is waiting. */
export async function nextTryAt({ read }: Database, now: number): Promise<number | null> {
  const row = await read
    .selectFrom("outgoing_email")
    .select("next_try_at")
    .where("expires_at", ">", now)
    .orderBy("next_try_at")
    .limit(1)
    .executeTakeFirst();
  return row?.next_try_at ?? null;
}

/** How many of the waiting emails were written before a time. */
export async function countWaiting(
  { read }: Database,
  now: number,
  { writtenBefore }: { writtenBefore: number },
): Promise<number> {
  const { count } = await read
    .selectFrom("outgoing_email")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("expires_at", ">", now)
    .where("created_at", "<", writtenBefore)
    .executeTakeFirstOrThrow();
  return count;
}

export type Waiting = { count: number; oldestAt: number; failure: string | null };

/**
 * The number of waiting emails, the time of the oldest, and why the newest failed one did; null if none wait.
 */
export async function waitingEmails({ read }: Database, now: number): Promise<Waiting | null> {
  const waiting = read.selectFrom("outgoing_email").where("expires_at", ">", now);
  const row = await waiting
    .select(({ fn }) => [
      fn.countAll<number>().as("count"),
      fn.min<number | null>("created_at").as("oldestAt"),
    ])
    .executeTakeFirst();
  if (!row || row.oldestAt === null) return null;
  const failed = await waiting
    .select("failure")
    .where("failure", "is not", null)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return { count: row.count, oldestAt: row.oldestAt, failure: failed?.failure ?? null };
}
