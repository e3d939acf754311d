import type { Write } from "../database/database.ts";
import { removeTwoFactor } from "./two-factor.ts";

/** Of what was added from `since` until `until` (ms); `added` leaves out the method that an account began with. */
type Which = { since?: number; until?: number; added?: boolean };

const FOR_EVER = Number.MAX_SAFE_INTEGER;

/**
 * Removes what a stranger can have left in an account to come back by, or to lock its owner out: passkeys,
 * providers, 2FA, and where all of it goes, known browsers.
 */
export async function removeFootholds(write: Write, accountId: string, which: Which = {}): Promise<void> {
  const { since = 0, until = FOR_EVER, added = false } = which;
  const { query } = write;
  for (const table of ["passkey", "oidc_identity"] as const) {
    await query
      .deleteFrom(table)
      .where("account_id", "=", accountId)
      .where("created_at", ">=", since)
      .where("created_at", "<=", until)
      .$if(added, (methods) => methods.where("added_by", "is not", null))
      .execute();
  }
  const twoFactor = await query
    .selectFrom("two_factor")
    .select("account_id")
    .where("account_id", "=", accountId)
    .where("created_at", ">=", since)
    .where("created_at", "<=", until)
    .executeTakeFirst();
  if (twoFactor) await removeTwoFactor(write, accountId);
  if (since === 0 && until === FOR_EVER)
    await query.deleteFrom("known_device").where("account_id", "=", accountId).execute();
}
