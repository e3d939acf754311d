import type { Settings } from "../options/options.ts";
import type { Database, Notice } from "./database.ts";

/** Opens the configured database and brings its schema up to date. Later faults are told to `notice`. */
export async function openDatabase(
  settings: Pick<Settings, "database" | "listenUrl">,
  notice: Notice,
): Promise<Database> {
  const { database, listenUrl } = settings;
  // Loads only the engine in use, since loading modules is most of the time that a start takes.
  if (database.engine === "sqlite") {
    const { openSqlite } = await import("./sqlite/sqlite.ts");
    return openSqlite(database.file, notice);
  }
  const { openPostgres } = await import("./postgres/postgres.ts");
  return openPostgres({ url: database.url, listenUrl, notice });
}
