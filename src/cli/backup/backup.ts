import { randomBytes } from "node:crypto";
import { existsSync, linkSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import type { Command } from "commander";
import { keyFileOf } from "../../credentials/key-file.ts";
import { readSettings, type Settings } from "../../options/options.ts";
import { givenOptions } from "../given-options.ts";
import { requireFolderOf } from "../require-folder.ts";
import { CommandFailed, type JsonFlag, printResult, say } from "../terminal.ts";
import { copyPrivately } from "./private-copy.ts";

export function addBackup(program: Command): void {
  program
    .command("backup <FILE>")
    .description("Copies the embedded database and its key file, even while a server runs.")
    .action(backUp);
}

/** The embedded database's file and keys. @throws CommandFailed with PostgreSQL, which brings its own tools. */
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
  if (!existsSync(file)) throw new CommandFailed(`${file} does not exist; there is nothing to back up.`);
  requireFolderOf(target);
  const keyFile = keyFileOf(file);
  const hasKey = existsSync(keyFile) && secretKeys === null;
  for (const made of hasKey ? [target, `${target}.key`] : [target])
    if (existsSync(made)) throw new CommandFailed(`${made} exists already. Choose another name.`);
  await copyWhole(file, target);
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

/** A copy as of one moment; it appears whole or not at all, and only this user may read it. */
async function copyWhole(file: string, target: string): Promise<void> {
  const draft = `${target}.draft-${randomBytes(6).toString("hex")}`;
  // Empty, but made by us and for this user alone: SQLite gives its own files beside it the same mode.
  writeFileSync(draft, "", { mode: 0o600, flag: "wx" });
  const source = new DatabaseSync(file, { readOnly: true });
  try {
    let told = Date.now();
    await backup(source, draft, {
      rate: PAGES_AT_ONCE,
      progress: ({ totalPages, remainingPages }) => {
        if (!process.stderr.isTTY || Date.now() - told < 1_000) return;
        told = Date.now();
        say(`${Math.floor(((totalPages - remainingPages) / totalPages) * 100)} %`);
      },
    });
    linkSync(draft, target);
  } finally {
    source.close();
    rmSync(draft, { force: true });
  }
}
