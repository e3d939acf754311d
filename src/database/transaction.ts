import type { Kysely } from "kysely";
import type { Write } from "./database.ts";
import type { Schema } from "./schema.ts";

/** Runs `work` as one transaction. After the commit, calls `tell`, then starts the `afterCommit` work. */
export async function transact<T>(
  connection: Kysely<Schema>,
  { locksRows, tell }: { locksRows: boolean; tell: (accountIds: ReadonlySet<string>) => void },
  work: (write: Write) => Promise<T>,
): Promise<T> {
  const changed = new Set<string>();
  const next = new Set<() => void>();
  const announce = (accountId: string) => changed.add(accountId);
  const afterCommit = (begin: () => void) => next.add(begin);
  const result = await connection
    .transaction()
    .execute((query) => work({ query, locksRows, announce, afterCommit }));
  tell(changed);
  for (const begin of next) begin();
  return result;
}
