import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Command } from "commander";
import { keyFileOf } from "../../credentials/key-file.ts";
import { pendingMigrations } from "../../database/migrations.ts";
import { isBusy, isDamaged } from "../../database/sqlite/faults.ts";
import { openSqlite } from "../../database/sqlite/sqlite.ts";
import { readKeys } from "../../options/kinds.ts";
import { endEveryoneShown } from "../end-everyone.ts";
import { CommandFailed, type JsonFlag, many, printResult } from "../terminal.ts";
import { embeddedDatabase } from "./backup.ts";
import { withDraft } from "./draft.ts";
import { copyPrivately } from "./private-copy.ts";
import { requireSound } from "./require-sound.ts";

export function addRestore(program: Command): void {
  program
    .command("restore <FILE>")
    .description("Puts a backup in place and ends every session, since it may hold ended ones as live.")
    .action(restore);
}

async function restore(name: string, flags: JsonFlag): Promise<void> {
  const source = resolve(name);
  const { file } = await embeddedDatabase();
  if (!existsSync(source)) throw new CommandFailed(`${source} does not exist.`);
  const key = existsSync(`${source}.key`) ? readFileSync(`${source}.key`, "utf8") : null;
  if (key !== null) readKeys(`${source}.key`, key);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { kept, ended } = await putInPlace(source, key, file);
  const before = kept === null ? "" : ` The database before it is ${kept}.`;
  const words = `Restored ${source}; ${many(ended, "session")} of it ended.${before}`;
  printResult(flags, { file, ended, kept }, words);
}

/**
 * Works on a copy, since SQLite writes beside the file that it opens, and the backup's folder may be read-only. Ends
 * the sessions in that copy, so that none is live if the restore is interrupted. Returns where the previous
 * database is kept, if there was one, and how many sessions ended.
 */
async function putInPlace(
  source: string,
  key: string | null,
  file: string,
): Promise<{ kept: string | null; ended: number }> {
  if (existsSync(file)) requireUnused(file);
  return withDraft(file, async (draft) => {
    await copyPrivately(source, draft);
    // Throws if a newer version of Latchkey wrote it.
    pendingMigrations("sqlite", requireSound(draft, { of: source, noun: "backup" }));
    const ended = await endAll(draft);
    if (existsSync(file)) requireUnused(file);
    const useKeyAlone = key === null ? () => {} : addKey(keyFileOf(file), key);
    const kept = keepBefore(file);
    renameSync(draft, file);
    useKeyAlone();
    return { kept, ended };
  });
}

async function endAll(draft: string): Promise<number> {
  const database = openSqlite(draft);
  try {
    // These were sent after the backup was made, and their links end below.
    await database.write(({ query }) => query.deleteFrom("outgoing_email").execute());
    return await endEveryoneShown(database, Date.now());
  } finally {
    await database.close();
  }
}

/** @throws CommandFailed while a server has the database open. A damaged one passes: replacing it is the point. */
function requireUnused(file: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec("pragma locking_mode = exclusive; pragma busy_timeout = 0; begin exclusive; commit");
    database.exec("pragma wal_checkpoint(truncate)");
  } catch (error) {
    if (isBusy(error)) throw new CommandFailed(`${file} is in use. Stop the server, then restore.`);
    if (!isDamaged(error)) throw error;
  } finally {
    database.close();
  }
}

/**
 * Gives the present database a second name, so that one rename replaces it, and moves a log left behind away, which
 * SQLite would take for the backup's own. Returns where the database is kept, if there was one.
 */
function keepBefore(file: string): string | null {
  const kept = `${file}.before-restore-${stamp()}`;
  for (const part of ["-wal", "-shm"]) if (existsSync(file + part)) renameSync(file + part, kept + part);
  if (!existsSync(file)) return null;
  linkSync(file, kept);
  return kept;
}

/**
 * Adds the backup's key to the present one, so that an interrupted restore leaves a key that opens either database;
 * the key file before it is kept. Returns the last step, after which the backup's key is the only one.
 */
function addKey(keyFile: string, key: string): () => void {
  const present = existsSync(keyFile) ? readFileSync(keyFile, "utf8") : key;
  if (present !== key) linkSync(keyFile, `${keyFile}.${stamp()}`);
  replaceKey(keyFile, present === key ? key : `${present.trim()},${key}`);
  return () => replaceKey(keyFile, key);
}

function replaceKey(keyFile: string, text: string): void {
  const draft = `${keyFile}.restored-${stamp()}`;
  writeFileSync(draft, text, { mode: 0o600, flag: "wx", flush: true });
  renameSync(draft, keyFile);
}

function stamp(): string {
  return new Date().toISOString().replaceAll(":", "-");
}
