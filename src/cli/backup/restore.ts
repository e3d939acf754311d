import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Command } from "commander";
import { keyFileOf } from "../../credentials/key-file.ts";
import { pendingMigrations } from "../../database/migrations.ts";
import { endEveryone } from "../../operator.ts";
import { CommandFailed, type JsonFlag, many, printResult } from "../terminal.ts";
import { withLatchkey } from "../with-latchkey.ts";
import { embeddedDatabase } from "./backup.ts";
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
  const kept = await putInPlace(source, file);
  if (existsSync(`${source}.key`)) await putKey(`${source}.key`, keyFileOf(file));
  await withLatchkey(async (parts) => {
    // They have gone out since, and their links end below.
    await parts.database.write(({ query }) => query.deleteFrom("outgoing_email").execute());
    const ended = await endEveryone(parts, parts.settings.now());
    const before = kept === null ? "" : ` The database before it is ${kept}.`;
    const words = `Restored ${source}; ${many(ended, "session")} of it ended.${before}`;
    printResult(flags, { file, ended, kept }, words);
  });
}

/**
 * Looks at a copy, since SQLite writes beside what it opens, and the backup's folder may be read-only.
 * Returns where the database before it is kept, if there was one.
 */
async function putInPlace(source: string, file: string): Promise<string | null> {
  const draft = `${file}.draft-${randomBytes(6).toString("hex")}`;
  try {
    await copyPrivately(source, draft);
    // Throws where a newer version has written it.
    pendingMigrations("sqlite", requireSound(draft, { of: source, noun: "backup" }));
    const kept = existsSync(file) ? setAside(file) : null;
    renameSync(draft, file);
    return kept;
  } finally {
    for (const part of ["", "-wal", "-shm"]) rmSync(draft + part, { force: true });
  }
}

/** Moves the present database away. @throws CommandFailed while a server has it open. */
function setAside(file: string): string {
  const database = new DatabaseSync(file);
  try {
    database.exec("pragma locking_mode = exclusive; pragma busy_timeout = 0; begin exclusive; commit");
    database.exec("pragma wal_checkpoint(truncate)");
  } catch {
    throw new CommandFailed(`${file} is in use. Stop the server, then restore.`);
  } finally {
    database.close();
  }
  const kept = `${file}.before-restore-${stamp()}`;
  renameSync(file, kept);
  for (const part of ["-wal", "-shm"]) if (existsSync(file + part)) renameSync(file + part, kept + part);
  return kept;
}

/** Puts the key of a backup in place at once; the present one is kept beside it. */
async function putKey(source: string, keyFile: string): Promise<void> {
  const at = stamp();
  await copyPrivately(source, `${keyFile}.restored-${at}`);
  if (existsSync(keyFile)) renameSync(keyFile, `${keyFile}.${at}`);
  renameSync(`${keyFile}.restored-${at}`, keyFile);
}

function stamp(): string {
  return new Date().toISOString().replaceAll(":", "-");
}
