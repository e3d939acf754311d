import type { SelectQueryBuilder } from "kysely";
import type { Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";

/** Which sessions an event can end. Every field is required: without it, everybody's sessions would end. */
export type Scopes = {
  none: { accountId: string };
  one: { accountId: string; id: string };
  others: { accountId: string; exceptIds: readonly [string, ...string[]] };
  all: { accountId: string };
  all_of_accounts: { accountIds: readonly string[] };
  /** The session that a new one replaces. */
  replaced: { accountId: string; replacementKey: string };
  /** All live sessions except the `most` that were used last. */
  surplus: { accountId: string; exceptIds: readonly string[]; most: number };
  /** Those that were opened with a login method. */
  of_method: { accountId: string; methodId: string; exceptIds: readonly string[] };
  /** The session that an email was about, and all others from the same browser; either may be unknown. */
  reported: { accountId: string; id: string | null; deviceHash: Uint8Array | null };
  own_tokens: { accountId: string; tokenHashes: readonly Uint8Array[] };
  tokens: { tokenHashes: readonly Uint8Array[] };
};

type Sessions = SelectQueryBuilder<Schema, "session", { id: string }>;

const CHOICES: { [S in keyof Scopes]: (all: Sessions, of: Scopes[S], at: number) => Sessions } = {
  none: (all) => all.where(({ lit }) => lit(false)),
  one: (all, { accountId, id }) => all.where("account_id", "=", accountId).where("id", "=", id),
  others: (all, { accountId, exceptIds }) => except(all.where("account_id", "=", accountId), exceptIds),
  all: (all, { accountId }) => all.where("account_id", "=", accountId),
  all_of_accounts: (all, { accountIds }) => all.where("account_id", "in", accountIds),
  replaced: (all, { accountId, replacementKey }) =>
    all.where("account_id", "=", accountId).where("replacement_key", "=", replacementKey),
  surplus: (all, { accountId, exceptIds, most }, at) => {
    const live = except(all.where("account_id", "=", accountId).where("expires_at", ">", at), exceptIds);
    const kept = live.orderBy("last_used_at", "desc").orderBy("created_at", "desc").limit(most);
    return live.where("id", "not in", kept);
  },
  of_method: (all, { accountId, methodId, exceptIds }) =>
    except(all.where("account_id", "=", accountId).where("method_id", "=", methodId), exceptIds),
  reported: (all, { accountId, id, deviceHash }) =>
    all
      .where("account_id", "=", accountId)
      .where(({ or, eb }) => or([eb("id", "=", id), eb("device_hash", "=", deviceHash)])),
  own_tokens: (all, { accountId, tokenHashes }) =>
    all.where("account_id", "=", accountId).where("token_hash", "in", tokenHashes),
  tokens: (all, { tokenHashes }) => all.where("token_hash", "in", tokenHashes),
};

/** The sessions that a scope selects; `at` decides which ones are live. */
export function chosenSessions<S extends keyof Scopes>(
  { query }: Write,
  scope: S,
  of: Scopes[S],
  at: number,
): Sessions {
  return CHOICES[scope](query.selectFrom("session").select("id"), of, at);
}

/** The accounts that a scope names; none if it names only tokens. */
export function accountsOf(of: Scopes[keyof Scopes]): readonly string[] {
  if ("accountIds" in of) return of.accountIds;
  return "accountId" in of ? [of.accountId] : [];
}

/** PostgreSQL rejects an empty list. */
function except(sessions: Sessions, ids: readonly string[]): Sessions {
  return ids.length === 0 ? sessions : sessions.where("id", "not in", ids);
}
