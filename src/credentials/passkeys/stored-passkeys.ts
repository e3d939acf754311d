import type { Selectable } from "kysely";
import type { Database, Write } from "../../database/database.ts";
import type { PasskeyTable } from "../../database/schema.ts";
import { type Outcome, refuse } from "../../refusals.ts";
import { makeId } from "../../sessions/token.ts";

export type Passkey = Selectable<PasskeyTable>;

const LONGEST_NAME = 64;
const MOST_PASSKEYS = 20;
/** In base64url; the standard (WebAuthn, 4) allows at most 1,023 bytes. */
const CREDENTIAL_ID = /^[A-Za-z0-9_-]{1,1364}$/;

/** A new passkey that has been verified and can be stored. */
export type NewPasskey = {
  credentialId: string;
  publicKey: Uint8Array;
  counter: number;
  transports: string[];
};

/** Stores a passkey, unless an account already has it or this account has too many. */
export async function storePasskey(
  write: Write,
  accountId: string,
  passkey: NewPasskey,
  name: string,
  now: number,
  usedAt: number | null = null,
): Promise<Outcome<{ id: string }>> {
  const held = await write.query
    .selectFrom("passkey")
    .select("id")
    .where("account_id", "=", accountId)
    .execute();
  if (held.length >= MOST_PASSKEYS) return refuse("too_many_passkeys");
  const id = makeId();
  const stored = await write.query
    .insertInto("passkey")
    .values({
      id,
      account_id: accountId,
      credential_id: passkey.credentialId,
      public_key: passkey.publicKey,
      counter: passkey.counter,
      transports: JSON.stringify(passkey.transports),
      name: tidyName(name),
      created_at: now,
      last_used_at: usedAt,
    })
    .onConflict((conflict) => conflict.column("credential_id").doNothing())
    .returning("id")
    .executeTakeFirst();
  return stored ? { ok: true, id } : refuse("method_taken");
}

/** A name that a person typed, without control and formatting characters. */
export function tidyName(name: string): string {
  const tidy = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ").trim();
  return [...tidy].slice(0, LONGEST_NAME).join("") || "Passkey";
}

/** Moves the counter by compare-and-set, so that an answer counts once. */
export async function moveCounter(
  database: Database,
  passkey: Passkey,
  counter: number,
  now: number,
): Promise<boolean> {
  const moved = await database.write(({ query }) =>
    query
      .updateTable("passkey")
      .set({ counter, last_used_at: now })
      .where("id", "=", passkey.id)
      .where("counter", "=", passkey.counter)
      .returning("id")
      .executeTakeFirst(),
  );
  return moved !== undefined;
}

/** Whether this has the form of a credential id. Other values are never stored, or looked up. */
export function isCredentialId(given: unknown): given is string {
  return typeof given === "string" && CREDENTIAL_ID.test(given);
}

export async function findPasskey(database: Database, credentialId: unknown): Promise<Passkey | undefined> {
  if (!isCredentialId(credentialId)) return undefined;
  return database.read
    .selectFrom("passkey")
    .selectAll()
    .where("credential_id", "=", credentialId)
    .executeTakeFirst();
}

export async function listPasskeys(database: Database, accountId: string): Promise<Passkey[]> {
  return database.read
    .selectFrom("passkey")
    .selectAll()
    .where("account_id", "=", accountId)
    .orderBy("created_at")
    .execute();
}
