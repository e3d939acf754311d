import { readdirSync, readFileSync } from "node:fs";
import { codeFile } from "../own-files.ts";
import { DatabaseUnusable, type Notice } from "./database.ts";

export type Migration = { version: number; name: string; sql: string };

const FOLDER = codeFile("database/migrations/");

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
 * The migrations that a database at `version` still needs.
 * @throws DatabaseUnusable if the database is newer than this program.
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

/** Announces an upgrade, run here or by another process, since it may take long; not for a new database. */
export function announceUpgrade(notice: Notice, before: number, pending: readonly Migration[]): void {
  const newest = pending.at(-1)?.version;
  if (before > 0 && newest !== undefined)
    notice("info", `The database is being upgraded from schema ${before} to ${newest}.`);
}

/** Only Latchkey's databases have one of these tables; migration 10 renamed `half_finished_sign_in`. */
const OWN_TABLES = ["pending_sign_in", "half_finished_sign_in"];

/**
 * Why a database with these tables and indexes belongs to another program, as half a sentence. Null if it is
 * Latchkey's, or if it uses none of Latchkey's names.
 */
export function whyForeign(
  engine: "sqlite" | "postgres",
  version: number,
  names: ReadonlySet<string>,
): string | null {
  if (version > 0) {
    return OWN_TABLES.some((table) => names.has(table)) ? null : `it counts its own schema, at ${version}`;
  }
  const made = migrationsOf(engine).flatMap(({ sql }) =>
    [...sql.matchAll(/\b(?:create (?:unique )?(?:table|index)|rename to) (\w+)/gi)].map(
      ([, name]) => name ?? "",
    ),
  );
  const taken = made.find((name) => names.has(name));
  return taken === undefined ? null : `it has a "${taken}" of its own`;
}
