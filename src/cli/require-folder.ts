import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { CommandFailed } from "./terminal.ts";

/** Before any long work: the folder in which a command writes a file is there. @throws CommandFailed */
export function requireFolderOf(file: string): void {
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new CommandFailed(`There is no folder ${folder}. Make it first.`);
}
