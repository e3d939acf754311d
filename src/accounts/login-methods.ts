import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import type { Account } from "../sessions/hold.ts";
import type { AccountParts } from "./parts.ts";
import type { Acting } from "./proof.ts";

export type LoginMethod = {
  id: string;
  kind: "password" | "passkey" | "oidc";
  name: string;
  createdAt: number;
  lastUsedAt: number | null;
};

/** Every way to log in to an account. */
export async function listLoginMethods(parts: AccountParts, accountId: string): Promise<LoginMethod[]> {
  const account = await parts.database.read
    .selectFrom("account")
    .selectAll()
    .where("id", "=", accountId)
    .executeTakeFirst();
  return account ? methodsOf(account) : [];
}

/** Disconnects a login method, but never the last one (S15). */
export async function disconnect(parts: AccountParts, acting: Acting, methodId: string): Promise<Outcome> {
  const methods = await listLoginMethods(parts, acting.accountId);
  if (!methods.some((method) => method.id === methodId)) return refuse("not_found");
  return refuse(
    "last_login_method",
    "This is the only way to log in to this account. Add another one first.",
  );
}

function methodsOf(account: Account): LoginMethod[] {
  if (account.password_hash === null) return [];
  const createdAt = account.password_set_at ?? account.created_at;
  return [
    { id: "password", kind: "password", name: "Password", createdAt, lastUsedAt: account.password_used_at },
  ];
}
