import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import type { TestDatabase } from "./engines.ts";

/**
 * Begins a transaction as another program would: SQLite lets nobody else write meanwhile, PostgreSQL nobody whom
 * `lock` locks out. The returned function runs what it is given, and commits.
 */
export async function holdWrites(
  { url }: TestDatabase,
  lock: string,
): Promise<(statement?: string) => Promise<void>> {
  if (url.startsWith("sqlite:")) {
    const open = new DatabaseSync(url.replace("sqlite:", ""));
    open.exec("begin immediate");
    return async (statement = "") => {
      open.exec(`${statement}; commit`);
      open.close();
    };
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`begin; ${lock}`);
  return async (statement = "") => {
    await client.query(`${statement}; commit`);
    await client.end();
  };
}
