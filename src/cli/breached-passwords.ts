import { open, rename, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { packBreachedPasswords } from "../credentials/passwords/breached-passwords.ts";
import { withDraft } from "./backup/draft.ts";
import { requireFolderOf } from "./require-folder.ts";
import { CommandFailed, type JsonFlag, printResult } from "./terminal.ts";

export function addBreachedPasswords(program: Command): void {
  program
    .command("breached-passwords")
    .description("Lists of leaked passwords.")
    .command("build <LIST> <FILE>")
    .description(
      "Makes a file for LATCHKEY_BREACHED_PASSWORDS from a list with one password or SHA-1 hash per line.",
    )
    .action(build);
}

async function build(list: string, file: string, flags: JsonFlag): Promise<void> {
  requireFolderOf(file);
  const { bytes, count } = await packBreachedPasswords(linesOf(list)).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new CommandFailed(`${list} can't be read (${code}).`);
  });
  if (count === 0) throw new CommandFailed(`There are no passwords in ${list}.`);
  const size = bytes.reduce((sum, part) => sum + part.byteLength, 0);
  await writeWhole(file, bytes);
  const said = `Wrote ${file}: ${count.toLocaleString("en")} passwords, ${size.toLocaleString("en")} bytes.`;
  printResult(flags, { file, passwords: count, bytes: size }, said);
}

/** Reads line by line: the list may be larger than memory. */
async function* linesOf(list: string): AsyncIterable<string> {
  yield* (await open(list)).readLines();
}

/** Replaces the file in one step: a running server keeps the old one open until it restarts. */
function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void> {
  return withDraft(file, async (draft) => {
    await writeFile(draft, parts, { flag: "wx" });
    await rename(draft, file);
  });
}
