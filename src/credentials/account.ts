import type { Kysely } from "kysely";
import type { Database, Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import type { Schema } from "../database/schema.ts";
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

/** The hash that a password is checked against; null if there is no password, or if it is blocked until it is reset. */
export function usablePassword(account: Account): string | null {
  return account.password_blocked_at === null ? account.password_hash : null;
}

/**
 * Adds an account. Null if the address already has one, or is reserved: its owner changed it within the last
 * days and may still reverse the change.
 */
export async function addAccount(
  write: Write,
  account: {
    address: EmailAddress;
    passwordHash: string | null;
    verified: boolean;
    label: string;
    /** Whether the person is signed in with this password at once. */
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
      credential_version: 1,
      owner_since: account.verified ? ALWAYS : null,
      created_label: account.label,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column("email_key").doNothing())
    .returning("id")
    .executeTakeFirst();
  if (!added) return null;
  // Checked after the insert, so that a change of address that is confirmed at the same time is seen.
  if ((await reservedAddresses(write.query, [address.key], now, id)).size > 0) {
    await write.query.deleteFrom("account").where("id", "=", id).execute();
    return null;
  }
  await record(write, { accountId: id, kind: "account_created", at: now, label: account.label });
  return id;
}

/** The reserved addresses among these: another account may still reverse its change from one of them. */
export async function reservedAddresses(
  query: Kysely<Schema>,
  emailKeys: readonly string[],
  now: number,
  exceptId = "",
): Promise<Set<string>> {
  const rows = await query
    .selectFrom("emailed_link")
    .select("email_key")
    .where("email_key", "in", emailKeys)
    .where("kind", "=", "email_reversal")
    .where("account_id", "!=", exceptId)
    .where("confirmed_at", "is not", null)
    .where("expires_at", ">", now)
    .execute();
  return new Set(rows.map((row) => row.email_key));
}

/** Whether an address belongs to an account other than this one, or is reserved for one. */
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
  return other !== undefined || (await reservedAddresses(write.query, [emailKey], now, exceptId)).size > 0;
}
