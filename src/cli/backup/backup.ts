import { existsSync, linkSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Command } from "commander";
import { keyFileOf } from "../../credentials/key-file.ts";
import { resultCode } from "../../database/sqlite/faults.ts";
import { readSettings, type Settings } from "../../options/options.ts";
import { givenOptions } from "../given-options.ts";
import { requireFolderOf } from "../require-folder.ts";
import { CommandFailed, type JsonFlag, printResult, say } from "../terminal.ts";
import { missingFile } from "../with-latchkey.ts";
import { withDraft } from "./draft.ts";
import { copyPrivately } from "./private-copy.ts";
import { requireSound, whyUnsound } from "./require-sound.ts";

export function addBackup(program: Command): void {
  program
    .command("backup <FILE>")
    .description("Copies the embedded database and its key file, even while a server runs.")
    .action(backUp);
}

/** The embedded database's file and keys. @throws CommandFailed with PostgreSQL, which has its own backup tools. */
export async function embeddedDatabase(): Promise<{ file: string; secretKeys: Settings["secretKeys"] }> {
  const { database, secretKeys } = readSettings(await givenOptions());
  if (database.engine === "sqlite") return { file: database.file, secretKeys };
  throw new CommandFailed(
    "This is for the embedded database. Back up PostgreSQL with pg_dump, or with its own archiving.",
  );
}

async function backUp(name: string, flags: JsonFlag): Promise<void> {
  const { file, secretKeys } = await embeddedDatabase();
  const target = resolve(name);
  const missing = missingFile(file);
  if (missing !== null) throw new CommandFailed(missing);
  requireFolderOf(target);
  const keyFile = keyFileOf(file);
  const hasKey = existsSync(keyFile) && secretKeys === null;
  for (const made of hasKey ? [target, `${target}.key`] : [target])
    if (existsSync(made)) throw new CommandFailed(`${made} exists already. Choose another name.`);
  await withDraft(target, (draft) => copyWhole(file, target, draft));
  if (hasKey) {
    await copyPrivately(keyFile, `${target}.key`);
    say(
      `The key that second factors are encrypted with is in ${target}.key. Keep both where nobody else can read them.`,
    );
  } else if (secretKeys === null) {
    say(
      `There is no key file ${keyFile}, so none is in the backup. Without it second factors can't be read.`,
    );
  } else {
    say("LATCHKEY_SECRET_KEY is set and is not in the backup. Keep a copy of it in another safe place.");
  }
  printResult(flags, { file: target, key: hasKey ? `${target}.key` : null }, `Backed up to ${target}.`);
}

const PAGES_AT_ONCE = 500;

/** Copies the database as of one moment, readable by this user only. The copy appears once it's whole and sound. */
async function copyWhole(file: string, target: string, draft: string): Promise<void> {
  const copied = { of: file, noun: "database" } as const;
  const source = new DatabaseSync(file, { readOnly: true });
  try {
    // Holds one snapshot for all steps: otherwise SQLite starts over after each commit of a server, and never ends.
    source.exec("begin; select name from sqlite_schema limit 1");
    // Creates the file first, with mode 0600: SQLite gives the files that it writes beside it the same mode.
    writeFileSync(draft, "", { mode: 0o600, flag: "wx" });
    await backup(source, draft, { rate: PAGES_AT_ONCE, progress: progressTeller() });
    requireSound(draft, copied);
    // Lets the handler of a signal that arrived meanwhile run now.
    await nextTurn();
    linkSync(draft, target);
  } catch (error) {
    if (!(error instanceof Error) || resultCode(error) === null) throw error;
    throw (
      whyUnsound(error, copied) ??
      new CommandFailed(`${file} can't be copied to ${target} (${error.message}).`)
    );
  } finally {
    source.close();
  }
}

/** Shows the progress on a terminal, once a second. */
function progressTeller(): (progress: { totalPages: number; remainingPages: number }) => void {
  let told = Date.now();
  return ({ totalPages, remainingPages }) => {
    if (!process.stderr.isTTY || Date.now() - told < 1_000) return;
    told = Date.now();
    say(`${Math.floor(((totalPages - remainingPages) / totalPages) * 100)} %`);
  };
}
