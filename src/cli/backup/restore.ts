import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Command } from "commander";
import { keyFileOf } from "../../credentials/key-file.ts";
import { pendingMigrations } from "../../database/migrations.ts";
import { isBusy, isDamaged } from "../../database/sqlite/faults.ts";
import { openSqlite } from "../../database/sqlite/sqlite.ts";
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
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const { kept, ended } = await putInPlace(source, file);
  if (existsSync(`${source}.key`)) await putKey(`${source}.key`, keyFileOf(file));
  const before = kept === null ? "" : ` The database before it is ${kept}.`;
  const words = `Restored ${source}; ${many(ended, "session")} of it ended.${before}`;
  printResult(flags, { file, ended, kept }, words);
}

/**
 * Works on a copy, since SQLite writes beside the file that it opens, and the backup's folder may be read-only. Ends
 * the sessions in that copy, so that none is live if the restore is interrupted. Returns where the previous
 * database is kept, if there was one, and how many sessions ended.
 */
async function putInPlace(source: string, file: string): Promise<{ kept: string | null; ended: number }> {
  if (existsSync(file)) requireUnused(file);
  return withDraft(file, async (draft) => {
    await copyPrivately(source, draft);
    // Throws if a newer version of Latchkey wrote it.
    pendingMigrations("sqlite", requireSound(draft, { of: source, noun: "backup" }));
    const ended = await endAll(draft);
    const kept = setAside(file);
    renameSync(draft, file);
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
 * Moves the present database away with all its files: SQLite would take a log left behind for the backup's own.
 * Returns where it is kept, if there was one. @throws CommandFailed while a server has it open.
 */
function setAside(file: string): string | null {
  const isThere = existsSync(file);
  if (isThere) requireUnused(file);
  const kept = `${file}.before-restore-${stamp()}`;
  for (const part of ["", "-wal", "-shm"]) if (existsSync(file + part)) renameSync(file + part, kept + part);
  return isThere ? kept : null;
}

/** Replaces the key file with the backup's; the present one is kept beside it. */
async function putKey(source: string, keyFile: string): Promise<void> {
  const at = stamp();
  await copyPrivately(source, `${keyFile}.restored-${at}`);
  if (existsSync(keyFile)) renameSync(keyFile, `${keyFile}.${at}`);
  renameSync(`${keyFile}.restored-${at}`, keyFile);
}

function stamp(): string {
  return new Date().toISOString().replaceAll(":", "-");
}
