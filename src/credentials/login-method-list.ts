import type { Kysely } from "kysely";
import type { LoginMethodKind } from "../answers.ts";
import type { Account } from "../database/lock.ts";
import type { Schema } from "../database/schema.ts";
import { isIssuerOf } from "../options/oidc.ts";
import { findAccount, usablePassword } from "./account.ts";
import type { AccountParts } from "./parts.ts";

export type LoginMethod = {
  id: string;
  kind: LoginMethodKind;
  name: string;
  createdAt: number;
  lastUsedAt: number | null;
};

/** An account's login methods, oldest first; `needed` has the ids of those that can't be disconnected. */
export async function listLoginMethods(
  parts: AccountParts,
  accountId: string,
): Promise<{ methods: LoginMethod[]; needed: string[] }> {
  const account = await findAccount(parts.database, accountId);
  const all = account ? await methodsOf(parts, parts.database.read, account) : [];
  return {
    methods: all.map(({ works, provider, ...method }) => method),
    needed: all.filter(({ id }) => isNeeded(id, all)).map(({ id }) => id),
  };
}

/** Whether no other method works, so that this one can't be removed (S15). */
export function isNeeded(methodId: string, methods: readonly { id: string; works: boolean }[]): boolean {
  return !methods.some(({ id, works }) => works && id !== methodId);
}

/** `works`: whether the person could sign in with this method alone. `provider`: of an OIDC identity. */
type StoredMethod = LoginMethod & { works: boolean; provider?: string };

const SHARED = ["id", "created_at as createdAt", "last_used_at as lastUsedAt"] as const;

/**
 * All login methods of an account. These don't work by themselves: a password that is blocked or whose
 * address isn't confirmed, a provider that is no longer in the settings or has another issuer there, and a
 * passkey if BASE_URL has no host name.
 */
export async function methodsOf(
  parts: AccountParts,
  query: Kysely<Schema>,
  account: Account,
): Promise<StoredMethod[]> {
  const { baseUrl, oidc } = parts.settings;
  const passkeys = await query
    .selectFrom("passkey")
    .select([...SHARED, "name"])
    .where("account_id", "=", account.id)
    .execute();
  const identities = await query
    .selectFrom("oidc_identity")
    .select([...SHARED, "provider", "issuer"])
    .where("account_id", "=", account.id)
    .execute();
  const methods: StoredMethod[] = [];
  if (account.password_hash !== null)
    methods.push({
      id: "password",
      kind: "password",
      name: "Password",
      createdAt: account.password_set_at ?? account.created_at,
      lastUsedAt: account.password_used_at,
      works: account.email_verified_at !== null && usablePassword(account) !== null,
    });
  for (const one of passkeys) methods.push({ ...one, kind: "passkey", works: baseUrl.hasName });
  for (const { issuer, ...one } of identities) {
    const known = oidc.find(({ id }) => id === one.provider);
    const works = known !== undefined && isIssuerOf(known, issuer);
    methods.push({ ...one, kind: "oidc", name: known?.name ?? one.provider, works });
  }
  return methods.sort((one, other) => one.createdAt - other.createdAt);
}
