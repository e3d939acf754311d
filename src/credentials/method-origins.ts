import type { LoginMethodKind } from "../answers.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import type { Origin } from "../database/schema.ts";
import { NO_PASSWORD } from "./ownership.ts";

/** A login method that an account has, or had until `removed_at`, and which session added it. */
export type MethodOrigin = Origin & {
  /** Unique, except that all passwords of an account share one id. */
  id: string;
  kind: LoginMethodKind | "removed";
  name: string;
  created_at: number;
  removed_at: number | null;
};

const COLUMNS = ["id", "created_at", "added_by", "added_from", "added_with"] as const;

/** Every login method whose origin is known, including those that the account no longer has. */
export async function readOrigins(write: Write, account: Account): Promise<MethodOrigin[]> {
  const { query } = write;
  const { id } = account;
  const passkeys = await query
    .selectFrom("passkey")
    .select([...COLUMNS, "name"])
    .where("account_id", "=", id)
    .execute();
  const identities = await query
    .selectFrom("oidc_identity")
    .select([...COLUMNS, "provider as name"])
    .where("account_id", "=", id)
    .execute();
  const removed = await query
    .selectFrom("removed_method")
    .select([...COLUMNS, "removed_at"])
    .where("account_id", "=", id)
    .execute();
  const password = originOfPassword(account);
  return [
    ...(password ? [{ ...password, kind: "password" as const, name: "Password", removed_at: null }] : []),
    ...passkeys.map((one) => ({ ...one, kind: "passkey" as const, removed_at: null })),
    ...identities.map((one) => ({ ...one, kind: "oidc" as const, removed_at: null })),
    ...removed.map((one) => ({ ...one, kind: "removed" as const, name: "" })),
  ];
}

/**
 * Keeps the origin of a method that is about to be removed. When an owner reports a session, the methods and
 * sessions that came from this method must still be found. A method from the sign-up itself has no origin.
 */
export async function rememberRemoved(
  { query }: Write,
  account: Account,
  { kind, id }: { kind: LoginMethodKind; id: string },
  now: number,
): Promise<void> {
  if (kind === "password") {
    const password = originOfPassword(account);
    const row = password && { ...password, account_id: account.id, removed_at: now };
    if (row) await query.insertInto("removed_method").values(row).execute();
    return;
  }
  const row = query
    .selectFrom(kind === "passkey" ? "passkey" : "oidc_identity")
    .select((eb) => [...COLUMNS, "account_id", eb.lit(now).as("removed_at")])
    .where("id", "=", id)
    .where("added_by", "is not", null);
  await query
    .insertInto("removed_method")
    .columns([...COLUMNS, "account_id", "removed_at"])
    .expression(row)
    .execute();
}

/** Removes a login method; does nothing if the account no longer has it. */
export async function removeMethod(
  { query }: Write,
  accountId: string,
  { kind, id }: Pick<MethodOrigin, "kind" | "id">,
): Promise<void> {
  if (kind === "passkey") await query.deleteFrom("passkey").where("id", "=", id).execute();
  if (kind === "oidc") await query.deleteFrom("oidc_identity").where("id", "=", id).execute();
  if (kind === "password")
    await query.updateTable("account").set(NO_PASSWORD).where("id", "=", accountId).execute();
}

/** Null if the account has no password. */
function originOfPassword(account: Account): (Origin & { id: string; created_at: number }) | null {
  // Before schema 15, a reset stored only when the password was set.
  const createdAt = account.password_added_at ?? account.password_set_at;
  if (createdAt === null) return null;
  return {
    id: "password",
    created_at: createdAt,
    added_by: account.password_added_by,
    added_from: account.password_added_from,
    added_with: account.password_added_with,
  };
}
