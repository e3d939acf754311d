import type { Database, Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import { makeId } from "../sessions/token.ts";
import type { EmailAddress } from "./email-address.ts";
import { ALWAYS } from "./ownership.ts";

export async function findAccount(database: Database, id: string): Promise<Account | undefined> {
  return database.read.selectFrom("account").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function findAccountByEmail(database: Database, emailKey: string): Promise<Account | undefined> {
  return database.read.selectFrom("account").selectAll().where("email_key", "=", emailKey).executeTakeFirst();
}

/**
 * Adds an account; null where the address has one already, or is kept for the owner of an account that
 * moved away from it within the last days and may still take that back.
 */
export async function addAccount(
  write: Write,
  account: {
    address: EmailAddress;
    passwordHash: string | null;
    verified: boolean;
    label: string;
    /** Whether the password opens a session at once. */
    signsIn?: boolean;
  },
  now: number,
): Promise<string | null> {
  const { address, passwordHash } = account;
  const id = makeId();
  const added = await write.query
    .insertInto("account")
    .values({
      id,
      email: address.email,
      email_key: address.key,
      email_verified_at: account.verified ? now : null,
      password_hash: passwordHash,
      password_set_at: passwordHash === null ? null : now,
      password_used_at: account.signsIn && passwordHash !== null ? now : null,
      password_blocked_at: null,
      credential_version: 1,
      suspended_at: null,
      owner_since: account.verified ? ALWAYS : null,
      created_label: account.label,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column("email_key").doNothing())
    .returning("id")
    .executeTakeFirst();
  if (!added) return null;
  // Looked at after the insert: a change that was being confirmed meanwhile is seen now.
  if (await isReserved(write, address.key, id, now)) {
    await write.query.deleteFrom("account").where("id", "=", id).execute();
    return null;
  }
  await record(write, { accountId: id, kind: "account_created", at: now, label: account.label });
  return id;
}

/** Whether another account may still take this address back. */
export async function isReserved(
  write: Write,
  emailKey: string,
  exceptId: string,
  now: number,
): Promise<boolean> {
  const kept = await write.query
    .selectFrom("emailed_link")
    .select("token_hash")
    .where("email_key", "=", emailKey)
    .where("kind", "=", "email_reversal")
    .where("account_id", "!=", exceptId)
    .where("confirmed_at", "is not", null)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return kept !== undefined;
}

/** Whether an address has an account other than this one, or is kept for one. */
export async function isTaken(
  write: Write,
  emailKey: string,
  exceptId: string,
  now: number,
): Promise<boolean> {
  const other = await write.query
    .selectFrom("account")
    .select("id")
    .where("email_key", "=", emailKey)
    .where("id", "!=", exceptId)
    .executeTakeFirst();
  return other !== undefined || (await isReserved(write, emailKey, exceptId, now));
}

/** What an account's own words are to a guesser: its address, whole and in parts. */
export function ownWords(email: string): string[] {
  const [local = "", domain = ""] = email.toLowerCase().split("@");
  return [email.toLowerCase(), local, domain, ...local.split(/[^a-z0-9]+/), ...domain.split(".")];
}
