import { existsSync, renameSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { keyFileOf } from "../accounts/key-file.ts";
import { endEveryone } from "../accounts/operator.ts";
import { pendingMigrations } from "../database/migrations.ts";
import { schemaVersion, whyAnothers } from "../database/sqlite-file.ts";
import { embeddedFile } from "./backup.ts";
import type { Command, ExitCode, Run } from "./command.ts";
import { Refused } from "./command.ts";
import { copyPrivately } from "./private-copy.ts";
import { withLatchkey } from "./with-latchkey.ts";

export const restoreCommand: Command = {
  name: "restore",
  usage: "FILE",
  summary: "Puts a back-up in place and ends every session: it may hold ended ones as live.",
  flags: { json: { type: "boolean" } },
  flagHelp: { json: "Prints JSON." },
  takes: 1,
  run: restore,
};

async function restore(run: Run): Promise<ExitCode> {
  const source = resolve(run.arguments[0] ?? "");
  const file = embeddedFile(run.options);
  requireBackUp(source);
  const kept = existsSync(file) ? setAside(file) : null;
  await copyPrivately(source, file);
  if (existsSync(`${source}.key`)) await putKey(`${source}.key`, keyFileOf(file));
  return withLatchkey(run, async ({ parts }) => {
    const ended = await endEveryone(parts, parts.settings.now());
    const before = kept === null ? "" : ` The database before it is ${kept}.`;
    const words = `Restored ${source}; ${ended} ${ended === 1 ? "session" : "sessions"} of it ended.${before}`;
    run.print(run.flags.json ? JSON.stringify({ file, ended, kept }) : words);
    return 0;
  });
}

/** @throws Refused where the file is no whole database of Latchkey that this version knows. */
function requireBackUp(source: string): void {
  if (!existsSync(source)) throw new Refused(`${source} does not exist.`);
  const open = new DatabaseSync(source, { readOnly: true });
  try {
    const version = schemaVersion(open);
    if (open.prepare("pragma quick_check(1)").get()?.quick_check !== "ok")
      throw new Refused(`${source} is damaged.`);
    if (version === 0 || whyAnothers(open) !== null)
      throw new Refused(`${source} is not a back-up of Latchkey.`);
    pendingMigrations("sqlite", version);
  } catch (error) {
    if (error instanceof Error && "errcode" in error)
      throw new Refused(`${source} is not a back-up of Latchkey.`);
    throw error;
  } finally {
    open.close();
  }
}

/** Moves the present database away. @throws Refused while a server has it open. */
function setAside(file: string): string {
  const open = new DatabaseSync(file);
  try {
    open.exec("pragma locking_mode = exclusive; pragma busy_timeout = 0; begin exclusive; commit");
    open.exec("pragma wal_checkpoint(truncate)");
  } catch {
    throw new Refused(`${file} is in use. Stop the server, then restore.`);
  } finally {
    open.close();
  }
  const kept = `${file}.before-restore-${stamp()}`;
  renameSync(file, kept);
  for (const part of ["-wal", "-shm"]) if (existsSync(file + part)) renameSync(file + part, kept + part);
  return kept;
}

/** Puts the key of a back-up in place at once; the present one is kept beside it. */
async function putKey(source: string, keyFile: string): Promise<void> {
  const at = stamp();
  await copyPrivately(source, `${keyFile}.restored-${at}`);
  if (existsSync(keyFile)) renameSync(keyFile, `${keyFile}.${at}`);
  renameSync(`${keyFile}.restored-${at}`, keyFile);
}

function stamp(): string {
  return new Date().toISOString().replaceAll(":", "-");
}
