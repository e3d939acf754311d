import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { FOREIGN, kindOfForeign } from "./imported-password.ts";

/** Sorts after every character that a hash is written with. */
const PAST = "\u007f";

/**
 * One imported password hash of each kind and cost that the database still has. Jumps from kind to kind in an
 * index of such hashes only, so it takes a few µs however many accounts there are.
 */
export async function foreignKindsLeft({
  engine,
  read,
}: Pick<Database, "engine" | "read">): Promise<string[]> {
  const hash = engine === "postgres" ? sql<string>`password_hash collate "C"` : sql<string>`password_hash`;
  const samples = new Map<string, string>();
  let after = FOREIGN;
  for (;;) {
    const { rows } = await sql<{ stored: string }>`
      select password_hash as stored from account
        where password_hash like ${sql.lit(`${FOREIGN}%`)} and ${hash} > ${after} order by ${hash} limit 1`.execute(
      read,
    );
    const stored = rows[0]?.stored;
    if (stored === undefined) return [...samples.values()];
    const { kind, prefix } = kindOfForeign(stored);
    samples.set(kind, stored);
    after = prefix + PAST;
  }
}
