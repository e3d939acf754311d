import { createHash, randomBytes, randomInt } from "node:crypto";
import type { Kysely } from "kysely";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import type { Schema } from "../database/schema.ts";
import { record } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import type { AccountParts } from "./parts.ts";
import { writeNotice } from "./send-emails.ts";

const CODES = 10;
/** 15 characters from an alphabet of 31: 74 bits, and short enough to type from paper. */
const GROUPS = 3;
const LETTERS_A_GROUP = 5;
/** No letters and digits that look alike. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const SALT_BYTES = 16;
/** Version 0.1.0 stored an unsalted SHA-256. Such codes work until they are used or replaced. */
const OLD_HASH_BYTES = 32;

/** An account's new codes: `codes` to show once, and `stored` as they are kept. */
export type FreshCodes = { codes: string[]; stored: Uint8Array[] };

/**
 * Makes ten codes with one salt, so that checking a typed code takes one hash, not ten. Each hash takes as
 * long as a password's, so call this before the transaction that stores the codes.
 */
export async function makeRecoveryCodes({ passwords }: AccountParts): Promise<FreshCodes> {
  const codes = Array.from({ length: CODES }, makeCode);
  const salt = randomBytes(SALT_BYTES);
  const stored = await Promise.all(codes.map((code) => hashCode(passwords, lettersOf(code), salt)));
  return { codes, stored };
}

export async function storeRecoveryCodes(write: Write, accountId: string, fresh: FreshCodes): Promise<void> {
  await write.query.deleteFrom("recovery_code").where("account_id", "=", accountId).execute();
  const rows = fresh.stored.map((code_hash) => ({ account_id: accountId, code_hash }));
  await write.query.insertInto("recovery_code").values(rows).execute();
}

/**
 * The forms in which a typed code would be stored for this account; call this before the transaction that
 * uses it up. Takes one hash, even if the account has no codes.
 */
export async function storedForms(
  { database, passwords }: AccountParts,
  accountId: string,
  typed: string,
): Promise<Uint8Array[]> {
  const rows = await database.read
    .selectFrom("recovery_code")
    .select("code_hash")
    .where("account_id", "=", accountId)
    .execute();
  const salted = rows.find(({ code_hash }) => code_hash.length > OLD_HASH_BYTES);
  const salt = salted ? Buffer.from(salted.code_hash).subarray(0, SALT_BYTES) : randomBytes(SALT_BYTES);
  const letters = lettersOf(typed);
  return [await hashCode(passwords, letters, salt), oldHash(accountId, letters)];
}

/** Uses up a code. Of several tries at once, only one succeeds. */
export async function spendRecoveryCode(
  write: Write,
  accountId: string,
  forms: Uint8Array[],
): Promise<boolean> {
  const spent = await write.query
    .deleteFrom("recovery_code")
    .where("account_id", "=", accountId)
    .where("code_hash", "in", forms)
    .returning("account_id")
    .executeTakeFirst();
  return spent !== undefined;
}

/** How many codes are left; 0 if two-factor authentication is off. */
export async function countRecoveryCodes(query: Kysely<Schema>, accountId: string): Promise<number> {
  const { left } = await query
    .selectFrom("recovery_code")
    .select(({ fn }) => fn.countAll<number>().as("left"))
    .where("account_id", "=", accountId)
    .executeTakeFirstOrThrow();
  return left;
}

/** Tells the owner, in the activity and by email, that a session used a recovery code, and how many are left. */
export async function noteRecoveryCode(
  parts: AccountParts,
  write: Write,
  { account, session }: { account: Account; session: { id: string; label: string } },
  now: number,
): Promise<void> {
  const { id: sessionId, label } = session;
  const left = await countRecoveryCodes(write.query, account.id);
  await record(write, {
    accountId: account.id,
    kind: "recovery_code_used",
    at: now,
    label,
    detail: { left },
  });
  await writeNotice(parts, write, account, { sessionId, device: label, now }, (context) =>
    messages.recoveryCodeUsed({ ...context, left }),
  );
}

function makeCode(): string {
  const letter = () => ALPHABET.charAt(randomInt(ALPHABET.length));
  const group = () => Array.from({ length: LETTERS_A_GROUP }, letter).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}

/** Dashes, spaces and capitals don't matter: people type these from paper. */
function lettersOf(typed: string): string {
  return typed.toLowerCase().replace(/[^a-z0-9]/g, "");
}

async function hashCode(
  passwords: AccountParts["passwords"],
  letters: string,
  salt: Buffer,
): Promise<Uint8Array> {
  return Buffer.concat([salt, await passwords.digest(letters, salt)]);
}

function oldHash(accountId: string, letters: string): Uint8Array {
  return createHash("sha256").update(`${accountId}:${letters}`).digest();
}
