import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CommandFailed } from "./terminal.ts";

/** Checks, before any long work, that the folder of the output file exists. @throws CommandFailed */
export function requireFolderOf(file: string): void {
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new CommandFailed(`There is no folder ${folder}. Make it first.`);
}
