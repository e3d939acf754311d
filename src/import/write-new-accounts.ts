import type { Insertable } from "kysely";
import { reservedAddresses } from "../credentials/account.ts";
import { ALWAYS } from "../credentials/ownership.ts";
import type { AccountParts } from "../credentials/parts.ts";
import type { Seal } from "../credentials/seal.ts";
import { isUniqueViolation, type Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";
import { record } from "../history/activity.ts";
import { OPERATOR } from "../operator.ts";
import { makeId } from "../sessions/token.ts";
import type { ValidAccount } from "./validate.ts";

const ROWS_A_STATEMENT = 400;

/**
 * Writes a batch of accounts with all that belongs to them, in one transaction. Returns false, and writes nothing,
 * if a unique value of one of them, such as its address, was taken meanwhile.
 */
export async function writeNewAccounts(
  { database, seal }: AccountParts,
  newAccounts: readonly ValidAccount[],
  now: number,
): Promise<boolean> {
  const named = newAccounts.map((one) => ({ ...one, id: one.id ?? makeId() }));
  try {
    await database.write(async (write) => {
      await insert(
        write,
        "account",
        named.map((one) => accountRow(one, now)),
      );
      await insert(
        write,
        "two_factor",
        named.flatMap((one) => twoFactorRows(one, seal, now)),
      );
      const identities = named.map(identityRows);
      await insert(write, "oidc_identity", identities.flat());
      await insert(
        write,
        "session",
        named.flatMap((one, at) => sessionRows(one, identities[at]?.[0]?.id)),
      );
      // Checked after the insert, so that an address reserved by a change meanwhile is seen.
      const keys = named.map(({ address }) => address.key);
      if ((await reservedAddresses(write.query, keys, now)).size > 0) throw new ReservedMeanwhile();
      const created = { kind: "account_created", at: now, label: OPERATOR } as const;
      await record(write, ...named.map(({ id }) => ({ ...created, accountId: id })));
    });
    return true;
  } catch (error) {
    if (error instanceof ReservedMeanwhile || isUniqueViolation(error)) return false;
    throw error;
  }
}

class ReservedMeanwhile extends Error {}

type Named = ValidAccount & { id: string };

function accountRow(one: Named, now: number): Insertable<Schema["account"]> {
  const { id, address, createdAt, passwordHash } = one;
  return {
    id,
    email: address.email,
    email_key: address.key,
    email_verified_at: one.verified ? createdAt : null,
    password_hash: passwordHash,
    password_set_at: passwordHash === null ? null : createdAt,
    credential_version: 1,
    suspended_at: one.suspended ? now : null,
    owner_since: one.verified ? ALWAYS : null,
    created_at: createdAt,
  };
}

function twoFactorRows(one: Named, seal: Seal, now: number): Insertable<Schema["two_factor"]>[] {
  if (one.totpSecret === null) return [];
  const secret = seal.close(one.totpSecret, one.id);
  return [{ account_id: one.id, secret, confirmed_at: now, created_at: now }];
}

function identityRows(one: Named): Insertable<Schema["oidc_identity"]>[] {
  return one.identities.map((identity) => ({
    ...identity,
    id: makeId(),
    account_id: one.id,
    created_at: one.createdAt,
  }));
}

/** No old system records how a session was opened: assume the password if there is one, else the first provider. */
function sessionRows(one: Named, identityId: string | undefined): Insertable<Schema["session"]>[] {
  const byPassword = one.passwordHash !== null || identityId === undefined;
  return one.sessions.map((session) => ({
    token_hash: session.tokenHash,
    id: makeId(),
    account_id: one.id,
    browser: session.browser,
    os: session.os,
    label: session.label,
    created_at: session.createdAt,
    expires_at: session.expiresAt,
    last_used_at: session.lastUsedAt,
    signed_in_with: byPassword ? "password" : "oidc",
    method_id: byPassword ? "password" : identityId,
    // An imported session proves no identity now, so a change of credentials asks for a proof first.
    proved_at: 0,
    replacement_key: session.replacementKey,
  }));
}

async function insert<Table extends "account" | "two_factor" | "oidc_identity" | "session">(
  write: Write,
  table: Table,
  rows: Insertable<Schema[Table]>[],
): Promise<void> {
  for (let start = 0; start < rows.length; start += ROWS_A_STATEMENT) {
    const some = rows.slice(start, start + ROWS_A_STATEMENT);
    await write.query.insertInto<Table>(table).values(some).execute();
  }
}
