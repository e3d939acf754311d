import type { InferResult, Kysely, Transaction } from "kysely";
import type { Schema } from "./schema.ts";

/** One transaction. What it announces is heard by live streams after the commit, never before. */
export type Write = {
  readonly query: Transaction<Schema>;
  /** Whether a row must be locked before it is checked; SQLite has one writer at a time anyway. */
  readonly locksRows: boolean;
  /** Sessions of this account have changed: their open pages look again. */
  announce(accountId: string): void;
  /** Begins `work` once the transaction is committed: once, however often it was asked for. */
  afterCommit(work: () => void): void;
};

/**
 * For a write that does no harm if a power failure undoes it (decisions/0028): a count, or what is done again anyway.
 * The embedded database, which holds up every request while it waits for the disk, then doesn't wait; the next commit
 * that does keeps this one, too.
 */
export const MAY_BE_LOST = { mayBeLost: true };

/** Hears that the sessions of an account have changed. */
export type AnnouncementListener = (accountId: string | "everyone") => void;

/** The one source of truth, in either engine. Everything that changes anything goes through `write`. */
export type Database = {
  readonly engine: "sqlite" | "postgres";
  /** For reading what is committed. */
  readonly read: Kysely<Schema>;
  /**
   * Runs `work` as one transaction: all of it or nothing. It may run again after a deadlock, so it does
   * nothing but database calls. A value that `work` returns is committed; to give up, it throws.
   */
  write<T>(work: (write: Write) => Promise<T>, durability?: typeof MAY_BE_LOST): Promise<T>;
  /** Looks sessions up by their tokens: the hot path. Sees every commit that was answered before the call. */
  lookUp: LookUp;
  /**
   * Calls the listener for announcements of this node and, while the connection for them holds, of others.
   * Correctness never rests on it. Returns a function that stops it.
   */
  onAnnouncement(listener: AnnouncementListener): () => void;
  /**
   * How far, at least, the database's clock is ahead of this one, in ms: the time that asking took counts as
   * agreement. 0 where they are the same machine.
   */
  clockAhead(clock: () => number): Promise<number>;
  /** Makes this the only node that prunes until the transaction ends; false where another one is. */
  lockPruning(write: Write): Promise<boolean>;
  /** Deletes notes that the engine kept for its look-ups and no longer needs. Returns how many rows. */
  forgetOldChanges(write: Write, atMost: number): Promise<number>;
  close(): Promise<void>;
};

/** The columns that lists show of a session; never its token. */
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

/** Sessions, each with what a request needs to know of its account: one row of one indexed look-up, in both engines. */
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

/** What the check of a bound session needs. */
export type FoundBinding = Pick<
  FoundSession,
  "boundAt" | "boundHash" | "boundUntil" | "formerBoundHash" | "formerBoundUntil" | "copyToldAt"
>;

/** For each token, in the same order, the session that it opens. */
export type LookedUp = readonly (FoundSession | undefined)[];

export type LookUp = (tokens: readonly string[]) => Promise<LookedUp>;

/** Tells the operator when a fault begins (`warn`) and when it is over (`info`). */
export type Notice = (level: "warn" | "info", words: string, cause?: unknown) => void;

/** The database can't be used: not there, locked, of a newer version. The message is one line for the operator. */
export class DatabaseUnusable extends Error {
  override name = "DatabaseUnusable";
}

/** The database didn't answer. Never "signed out": the caller answers 503 and keeps the cookie. */
export class DatabaseUnavailable extends Error {
  override name = "DatabaseUnavailable";
}

/** Two rows would have had the same unique value: the second request gets a refusal, not an error. */
export function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "23505" || errcode === SQLITE_CONSTRAINT_UNIQUE || errcode === SQLITE_CONSTRAINT_PRIMARYKEY;
}

const SQLITE_CONSTRAINT_UNIQUE = 2067;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
