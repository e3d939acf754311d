import { sql } from "kysely";
import type { LoginMethodKind } from "../answers.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { record } from "../history/activity.ts";
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

/** The device with which the owner acts, and when; the activity names it. */
export type By = { label: string; now: number };

/** A login method that is gone; `name` as people know it. */
type Removed = { method: LoginMethodKind; name: string };

/**
 * Removes what was set up before the owner proved to own the address: passkeys, other sites, and 2FA unless
 * the owner has accepted it. Also forgets known browsers, since some of them may be the stranger's. Returns
 * the names of what was removed, as an email lists them.
 */
export async function removeUnproved(
  parts: AccountParts,
  write: Write,
  account: Account,
  by: By,
): Promise<string[]> {
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
  const wasOn = Boolean(unproved?.confirmed_at);
  await recordRemoved(write, id, { removed, twoFactor: wasOn }, by);
  const names = removed.map(({ name }) => `"${name}"`);
  return wasOn ? [...names, TWO_FACTOR] : names;
}

const TWO_FACTOR = "two-factor authentication";

/** Removes every login method, the password too, with 2FA and known browsers: none of them is the owner's. */
export async function removeEverything(
  parts: AccountParts,
  write: Write,
  account: Account,
  by: By,
): Promise<void> {
  await removeUnproved(parts, write, { ...account, owner_since: null }, by);
  const password = { method: "password", name: "Password" } as const;
  const removed = account.password_hash === null ? [] : [password];
  await recordRemoved(write, account.id, { removed, twoFactor: false }, by);
  await write.query.updateTable("account").set(NO_PASSWORD).where("id", "=", account.id).execute();
}

/** Removes the passkeys, other sites and 2FA that were set up from `since` (ms) on. */
export async function removeAddedSince(
  parts: AccountParts,
  write: Write,
  accountId: string,
  since: number,
  by: By,
): Promise<void> {
  const removed = await removeMethods(parts, write, accountId, { since });
  const added = await write.query
    .selectFrom("two_factor")
    .select("confirmed_at")
    .where("account_id", "=", accountId)
    .where(addedAt(), ">=", since)
    .executeTakeFirst();
  if (added) await removeTwoFactor(write, accountId);
  const wasOn = Boolean(added?.confirmed_at);
  await recordRemoved(write, accountId, { removed, twoFactor: wasOn }, by);
}

/** Tells the owner, in the activity, which methods are gone, and that 2FA is off if it was on. */
async function recordRemoved(
  write: Write,
  accountId: string,
  { removed, twoFactor }: { removed: Removed[]; twoFactor: boolean },
  { label, now: at }: By,
): Promise<void> {
  const about = { accountId, at, label };
  const gone = removed.map((detail) => ({ ...about, kind: "method_removed" as const, detail }));
  await record(write, ...gone, ...(twoFactor ? [{ ...about, kind: "two_factor_off" as const }] : []));
}

/** 2FA counts as added when it was confirmed with its first code. */
const addedAt = () => sql<number>`coalesce(confirmed_at, created_at)`;

async function removeMethods(
  parts: AccountParts,
  { query }: Write,
  accountId: string,
  { since = 0, until = FOR_EVER }: { since?: number; until?: number },
): Promise<Removed[]> {
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
  return [
    ...passkeys.map(({ name }) => ({ method: "passkey" as const, name })),
    ...identities.map(({ provider }) => ({ method: "oidc" as const, name: siteName(parts, provider) })),
  ];
}

function siteName({ settings }: AccountParts, provider: string): string {
  return settings.oidc.find(({ id }) => id === provider)?.name ?? provider;
}
