import { sql } from "kysely";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import type { AccountParts } from "./parts.ts";
import { removeTwoFactor } from "./second-factor.ts";

/**
 * Whose account it is. Anybody can sign up with any address, so login methods that were set up before the
 * owner proved to own the address may be a stranger's. The account's `owner_since` says when that was; every
 * method, the first one too, is judged by when it was added. Only a password reset by the owner clears the
 * doubt.
 */

/** The value of `owner_since` if nothing in an account is in doubt. */
export const ALWAYS = 0;

/** For a password that no session added: it was chosen at the sign-up or with an emailed link. */
export const OF_NO_SESSION = {
  password_added_at: null,
  password_added_by: null,
  password_added_from: null,
  password_added_with: null,
};

/** The columns of an account without a password. */
export const NO_PASSWORD = {
  password_hash: null,
  password_set_at: null,
  password_used_at: null,
  ...OF_NO_SESSION,
};

const FOR_EVER = Number.MAX_SAFE_INTEGER;

/**
 * Removes what was set up before the owner proved to own the address: passkeys, other sites, and 2FA unless
 * the owner has accepted it. Also forgets known browsers, since some of them may be the stranger's. Returns
 * the names of what was removed, as an email lists them.
 */
export async function removeUnproved(parts: AccountParts, write: Write, account: Account): Promise<string[]> {
  const { id, owner_since: ownerSince } = account;
  if (ownerSince === ALWAYS) return [];
  const removed = await removeMethods(parts, write, id, { until: ownerSince ?? FOR_EVER });
  const secondFactor = write.query.selectFrom("two_factor").where("account_id", "=", id);
  const unproved = await secondFactor
    .select("confirmed_at")
    .$if(ownerSince !== null, (query) =>
      query.where("accepted_at", "is", null).where(addedAt(), "<=", ownerSince),
    )
    .executeTakeFirst();
  if (unproved) await removeTwoFactor(write, id);
  await write.query.deleteFrom("known_device").where("account_id", "=", id).execute();
  return unproved?.confirmed_at ? [...removed, TWO_FACTOR] : removed;
}

const TWO_FACTOR = "two-factor authentication";

/** Removes every login method, the password too, with 2FA and known browsers: none of them is the owner's. */
export async function removeEverything(parts: AccountParts, write: Write, account: Account): Promise<void> {
  await removeUnproved(parts, write, { ...account, owner_since: null });
  await write.query.updateTable("account").set(NO_PASSWORD).where("id", "=", account.id).execute();
}

/** Removes the passkeys, other sites and 2FA that were set up from `since` (ms) on. */
export async function removeAddedSince(
  parts: AccountParts,
  write: Write,
  accountId: string,
  since: number,
): Promise<void> {
  await removeMethods(parts, write, accountId, { since });
  const added = await write.query
    .selectFrom("two_factor")
    .select("account_id")
    .where("account_id", "=", accountId)
    .where(addedAt(), ">=", since)
    .executeTakeFirst();
  if (added) await removeTwoFactor(write, accountId);
}

/** 2FA counts as added when it was confirmed with its first code. */
const addedAt = () => sql<number>`coalesce(confirmed_at, created_at)`;

async function removeMethods(
  parts: AccountParts,
  { query }: Write,
  accountId: string,
  { since = 0, until = FOR_EVER }: { since?: number; until?: number },
): Promise<string[]> {
  const passkeys = await query
    .deleteFrom("passkey")
    .where("account_id", "=", accountId)
    .where("created_at", ">=", since)
    .where("created_at", "<=", until)
    .returning("name")
    .execute();
  const identities = await query
    .deleteFrom("oidc_identity")
    .where("account_id", "=", accountId)
    .where("created_at", ">=", since)
    .where("created_at", "<=", until)
    .returning("provider")
    .execute();
  const sites = identities.map(({ provider }) => siteName(parts, provider));
  return [...passkeys.map(({ name }) => name), ...sites].map((name) => `"${name}"`);
}

function siteName({ settings }: AccountParts, provider: string): string {
  return settings.oidc.find(({ id }) => id === provider)?.name ?? provider;
}
