import type { InferResult, Kysely, Transaction } from "kysely";
import type { Schema } from "./schema.ts";

/** One transaction. Live streams receive its announcements after the commit, never before. */
export type Write = {
  readonly query: Transaction<Schema>;
  /** Whether a row must be locked before it is checked; SQLite has one writer at a time anyway. */
  readonly locksRows: boolean;
  /** Announces that sessions of this account have changed, so that its open pages refresh. */
  announce(accountId: string): void;
  /** Starts `work` after the commit; the same function passed more than once runs only once. */
  afterCommit(work: () => void): void;
};

/**
 * For a write that a power failure may undo without harm (decisions/0028): a count, or something that is
 * then simply done again. On SQLite, where a commit that waits for the disk blocks every request, such a
 * commit doesn't wait. The next commit that does wait makes it durable, too.
 */
export const MAY_BE_LOST = { mayBeLost: true };

/** Called with the account whose sessions have changed, or with "everyone" if any account's may have. */
export type AnnouncementListener = (accountId: string | "everyone") => void;

/** The one source of truth, whichever the engine. Every change goes through `write`. */
export type Database = {
  readonly engine: "sqlite" | "postgres";
  /** Reads only what is committed. */
  readonly read: Kysely<Schema>;
  /**
   * Runs `work` as one transaction. It may run again after a deadlock, so it must do nothing but
   * database calls. The transaction is committed if `work` returns, and rolled back if it throws.
   */
  write<T>(work: (write: Write) => Promise<T>, durability?: typeof MAY_BE_LOST): Promise<T>;
  /** Looks up sessions by token: the hot path. It sees every commit that had completed before the call. */
  lookUp: LookUp;
  /**
   * Calls the listener for announcements from this node and, while the connection for them holds, from
   * other nodes. Correctness never depends on them. Returns a function that stops it.
   */
  onAnnouncement(listener: AnnouncementListener): () => void;
  /**
   * The least that the database's clock must be ahead of this one, in ms; negative if it is behind. A
   * difference that the round trip can explain counts as 0. Always 0 if both are on the same machine.
   */
  clockAhead(clock: () => number): Promise<number>;
  /** Takes the lock for pruning until the transaction ends; false if another node holds it. */
  lockPruning(write: Write): Promise<boolean>;
  /**
   * Deletes the change notes that the engine's look-ups no longer need. Returns the number of rows deleted.
   */
  forgetOldChanges(write: Write, atMost: number): Promise<number>;
  close(): Promise<void>;
};

/** The columns of a session that lists show; never its token. */
export const LISTED = [
  "session.id as id",
  "session.account_id as accountId",
  "session.browser as browser",
  "session.os as os",
  "session.label as label",
  "session.created_at as createdAt",
  "session.expires_at as expiresAt",
  "session.last_used_at as lastUsedAt",
  "session.signed_in_with as signedInWith",
] as const;

/** The columns that the check of a bound session reads. */
export const BINDING = [
  "session.bound_at as boundAt",
  "session.bound_hash as boundHash",
  "session.bound_until as boundUntil",
  "session.former_bound_hash as formerBoundHash",
  "session.former_bound_until as formerBoundUntil",
  "session.copy_told_at as copyToldAt",
] as const;

/** Selects sessions with the account details that a request needs: one row and one indexed look-up each. */
export function findSessions(query: Kysely<Schema>) {
  return query
    .selectFrom("session")
    .innerJoin("account", "account.id", "session.account_id")
    .leftJoin("two_factor", "two_factor.account_id", "session.account_id")
    .select([...LISTED, ...BINDING])
    .select([
      "session.method_id as methodId",
      "session.proved_at as provedAt",
      "session.both_proved_at as bothProvedAt",
      "account.email as email",
      "account.email_verified_at as emailVerifiedAt",
      "account.created_at as accountCreatedAt",
      "two_factor.confirmed_at as twoFactorAt",
    ]);
}

export type FoundSession = InferResult<ReturnType<typeof findSessions>>[number];

/** The fields that the check of a bound session needs. */
export type FoundBinding = Pick<
  FoundSession,
  "boundAt" | "boundHash" | "boundUntil" | "formerBoundHash" | "formerBoundUntil" | "copyToldAt"
>;

/** The session of each token, in the order of the tokens; undefined if a token has none. */
export type LookedUp = readonly (FoundSession | undefined)[];

export type LookUp = (tokens: readonly string[]) => Promise<LookedUp>;

/** Tells the operator when a fault begins (`warn`), and when it is over or an upgrade begins (`info`). */
export type Notice = (level: "warn" | "info", words: string, cause?: unknown) => void;

/**
 * The database is missing, locked, newer than this program, or the like. The message is one line for the
 * operator.
 */
export class DatabaseUnusable extends Error {
  override name = "DatabaseUnusable";
}

/**
 * The database didn't answer. This must never look like "signed out": the caller answers 503 and keeps the
 * cookie.
 */
export class DatabaseUnavailable extends Error {
  override name = "DatabaseUnavailable";
}

/** A second row would have had the same unique value: its request gets a refusal, not a server error. */
export function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "23505" || errcode === SQLITE_CONSTRAINT_UNIQUE || errcode === SQLITE_CONSTRAINT_PRIMARYKEY;
}

const SQLITE_CONSTRAINT_UNIQUE = 2067;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
