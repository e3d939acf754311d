import { type Selectable, sql } from "kysely";
import type { Write } from "./database.ts";
import type { AccountTable } from "./schema.ts";

export type Account = Selectable<AccountTable>;

/**
 * Locks an account until the transaction ends, and reads it. Code that checks an account before it changes
 * something takes this lock first, so that two such changes can't interleave. Code that ends sessions takes
 * it before it locks their rows, which avoids deadlocks. Rows that refer to the account can still be written,
 * except once its address has been updated: therefore a transaction that does both ends the sessions first.
 */
export async function lockAccount(write: Write, accountId: string): Promise<Account | undefined> {
  return write.query
    .selectFrom("account")
    .selectAll()
    .where("id", "=", accountId)
    .$if(write.locksRows, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
}

/** Locks many accounts, always in the same order, which avoids deadlocks. */
export async function lockAccounts(write: Write, accountIds: string[]): Promise<void> {
  if (!write.locksRows) return;
  await write.query
    .selectFrom("account")
    .select("id")
    .where("id", "in", accountIds)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
}

/**
 * Locks the account, and the session that acts on it. Returns undefined if that session has ended since
 * the request began; the caller must then refuse the request.
 */
export async function lockSession(
  write: Write,
  accountId: string,
  sessionId: string,
): Promise<Account | undefined> {
  const account = await lockAccount(write, accountId);
  const session = await write.query
    .selectFrom("session")
    .select("id")
    .where("id", "=", sessionId)
    .$if(write.locksRows, (query) => query.forUpdate())
    .executeTakeFirst();
  return session && account;
}

const NAMES = 7_305_881_203;

/** Locks a name, for something that has no row yet: others that lock it wait until this transaction ends. */
export async function lockName({ query, locksRows }: Write, name: string): Promise<void> {
  if (locksRows)
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, ${NAMES}::bigint))`.execute(query);
}
