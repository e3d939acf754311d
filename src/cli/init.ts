import { rmSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { SETTINGS } from "../options/table.ts";
import { CommandFailed, type JsonFlag, printResult } from "./terminal.ts";

const FILE = ".env";

export function addInit(program: Command): void {
  program
    .command("init")
    .description("Writes a .env with every setting commented out; never overwrites one.")
    .action((flags: JsonFlag) => {
      write(template());
      printResult(flags, { file: FILE }, `Wrote ${FILE}. Remove the # from what you set.`);
    });
}

/** Readable by its owner only: secrets will be added to it. */
function write(text: string): void {
  try {
    writeFileSync(FILE, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new CommandFailed(`There is a ${FILE} already; nothing was changed.`);
    // A full disk leaves an empty file, which would block the next try.
    rmSync(FILE, { force: true });
    throw error;
  }
}

function template(): string {
  const settings = SETTINGS.map(({ variable, byDefault, sentence, takes }) =>
    [
      `# ${sentence.replaceAll("`", "")} (default: ${byDefault})`,
      `# takes ${takes.replaceAll("`", "")}`,
      `#${variable}=`,
    ].join("\n"),
  );
  return `# The settings of Latchkey. Remove the # from what you set; the environment wins over this file.\n\n${settings.join("\n\n")}\n`;
}
