import type { Kysely } from "kysely";
import type { Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";

/** How many browsers are remembered per account; beyond that, the least recently seen are forgotten. */
const MOST = 100;

/** Whether this account has been used from this browser. */
export async function isKnownDevice(
  query: Kysely<Schema>,
  accountId: string,
  deviceHash: Uint8Array,
): Promise<boolean> {
  const known = await query
    .selectFrom("known_device")
    .select("last_seen_at")
    .where("account_id", "=", accountId)
    .where("device_hash", "=", deviceHash)
    .executeTakeFirst();
  return known !== undefined;
}

/** The account with this email address, if it has been used from this browser. */
export async function findByDevice(
  query: Kysely<Schema>,
  emailKey: string,
  deviceHash: Uint8Array,
): Promise<string | undefined> {
  const known = await query
    .selectFrom("known_device")
    .innerJoin("account", "account.id", "known_device.account_id")
    .select("account.id")
    .where("account.email_key", "=", emailKey)
    .where("known_device.device_hash", "=", deviceHash)
    .executeTakeFirst();
  return known?.id;
}

/** A subquery for the browser in which a session began. */
export function deviceOf(write: Write, sessionId: string) {
  return write.query.selectFrom("session").select("device_hash").where("id", "=", sessionId);
}

/** Forgets a browser: the next sign-in from it counts as one from a new device again. */
export async function forgetDevice(write: Write, accountId: string, deviceHash: Uint8Array): Promise<void> {
  await write.query
    .deleteFrom("known_device")
    .where("account_id", "=", accountId)
    .where("device_hash", "=", deviceHash)
    .execute();
}

/**
 * Remembers, by its device cookie, that this account uses this browser. Sessions can't tell: they expire, and
 * after a month away every browser would look new. Returns whether the account has used other browsers but
 * not this one; so an account's first browser doesn't count as new.
 */
export async function rememberDevice(
  write: Write,
  accountId: string,
  deviceHash: Uint8Array,
  now: number,
): Promise<boolean> {
  const known = write.query.selectFrom("known_device").where("account_id", "=", accountId);
  const others = await known.select("device_hash").limit(1).executeTakeFirst();
  const same = await known.select("device_hash").where("device_hash", "=", deviceHash).executeTakeFirst();
  await write.query
    .insertInto("known_device")
    .values({ account_id: accountId, device_hash: deviceHash, last_seen_at: now })
    .onConflict((conflict) =>
      conflict.columns(["account_id", "device_hash"]).doUpdateSet({ last_seen_at: now }),
    )
    .execute();
  await forgetSurplus(write, accountId, deviceHash);
  return others !== undefined && same === undefined;
}

async function forgetSurplus({ query }: Write, accountId: string, current: Uint8Array): Promise<void> {
  const kept = query
    .selectFrom("known_device")
    .select("device_hash")
    .where("account_id", "=", accountId)
    .where("device_hash", "!=", current)
    .orderBy("last_seen_at", "desc")
    .limit(MOST - 1);
  await query
    .deleteFrom("known_device")
    .where("account_id", "=", accountId)
    .where("device_hash", "!=", current)
    .where("device_hash", "not in", kept)
    .execute();
}
