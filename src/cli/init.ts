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

/** For its owner alone: there will be secrets in it. */
function write(text: string): void {
  try {
    writeFileSync(FILE, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new CommandFailed(`There is a ${FILE} already; nothing was changed.`);
    // Where the disk is full, an empty one is there now, which would stand in the way of the next try.
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
