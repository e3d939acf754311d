import type { Settings } from "../options/options.ts";
import type { Database, Notice } from "./database.ts";
import { openPostgres } from "./postgres/postgres.ts";
import { openSqlite } from "./sqlite/sqlite.ts";

/** Opens the database that the settings name, with its schema brought up to date. What goes wrong later is told to `notice`. */
export async function openDatabase(
  settings: Pick<Settings, "database" | "listenUrl">,
  notice: Notice,
): Promise<Database> {
  const { database, listenUrl } = settings;
  if (database.engine === "sqlite") return openSqlite(database.file);
  return openPostgres({ url: database.url, listenUrl, notice });
}
