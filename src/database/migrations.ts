import { readdirSync, readFileSync } from "node:fs";
import { DatabaseUnusable } from "./database.ts";

export type Migration = { version: number; name: string; sql: string };

const FOLDER = new URL("./migrations/", import.meta.url);

/** The migrations of an engine, in order. A file never changes once it is released. */
export function migrationsOf(engine: "sqlite" | "postgres"): Migration[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(`.${engine}.sql`))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -`.${engine}.sql`.length),
      sql: readFileSync(new URL(file, FOLDER), "utf8"),
    }));
}

/**
 * Those that a database at `version` still needs.
 * @throws DatabaseUnusable where the database is newer than this program.
 */
export function pendingMigrations(engine: "sqlite" | "postgres", version: number): Migration[] {
  const all = migrationsOf(engine);
  const newest = all.at(-1)?.version ?? 0;
  if (version > newest) {
    throw new DatabaseUnusable(
      `The database was written by a newer Latchkey (schema ${version}; this one knows up to ${newest}). Start that version, or a newer one; nothing was changed.`,
    );
  }
  return all.filter((migration) => migration.version > version);
}
