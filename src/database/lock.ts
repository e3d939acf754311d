import { type Selectable, sql } from "kysely";
import type { Write } from "./database.ts";
import type { AccountTable } from "./schema.ts";

export type Account = Selectable<AccountTable>;

/**
 * Reads an account and keeps it as it is until the transaction ends. Every rule that judges an account
 * before it changes something takes this lock first, so that two of them can't pass each other; whoever
 * ends sessions takes it before their rows, so that no two wait for each other. It leaves foreign keys to
 * the account alone, which a change of the address doesn't: that one comes after the endings.
 */
export async function lockAccount(write: Write, accountId: string): Promise<Account | undefined> {
  return write.query
    .selectFrom("account")
    .selectAll()
    .where("id", "=", accountId)
    .$if(write.locksRows, (query) => query.forNoKeyUpdate())
    .executeTakeFirst();
}

/** Holds many accounts, always in one order. */
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
 * Holds the account, and the session that acts on it. Undefined where that session has ended since the
 * request began: what it asked for is then not done.
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

/** Holds what has no row yet: whoever holds the same name waits until this transaction ends. */
export async function lockName({ query, locksRows }: Write, name: string): Promise<void> {
  if (locksRows)
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, ${NAMES}::bigint))`.execute(query);
}
