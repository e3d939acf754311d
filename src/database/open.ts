import type { Settings } from "../options/options.ts";
import type { Database, Notice } from "./database.ts";

/** Opens the database that the settings name, with its schema brought up to date. What goes wrong later is told to `notice`. */
export async function openDatabase(
  settings: Pick<Settings, "database" | "listenUrl">,
  notice: Notice,
): Promise<Database> {
  const { database, listenUrl } = settings;
  // One engine alone is loaded: a start takes as long as what it loads.
  if (database.engine === "sqlite") {
    const { openSqlite } = await import("./sqlite/sqlite.ts");
    return openSqlite(database.file, notice);
  }
  const { openPostgres } = await import("./postgres/postgres.ts");
  return openPostgres({ url: database.url, listenUrl, notice });
}
