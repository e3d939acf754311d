import type { Write } from "../database/database.ts";
import { removeTwoFactor } from "./two-factor.ts";

/**
 * Removes what a stranger can have left in an account to come back by, or to lock its owner out: passkeys,
 * providers, 2FA, known browsers. With `since`, only what was added then or later.
 */
export async function removeFootholds(write: Write, accountId: string, since = 0): Promise<void> {
  const { query } = write;
  for (const table of ["passkey", "oidc_identity"] as const) {
    await query
      .deleteFrom(table)
      .where("account_id", "=", accountId)
      .where("created_at", ">=", since)
      .execute();
  }
  const twoFactor = await query
    .selectFrom("two_factor")
    .select("account_id")
    .where("account_id", "=", accountId)
    .where("created_at", ">=", since)
    .executeTakeFirst();
  if (twoFactor) await removeTwoFactor(write, accountId);
  if (since === 0) await query.deleteFrom("known_device").where("account_id", "=", accountId).execute();
}
