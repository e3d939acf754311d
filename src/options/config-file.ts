import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { unknownOption } from "./names.ts";
import type { LatchkeyOptions } from "./options.ts";
import { SettingError } from "./setting-error.ts";

const NAMES = ["latchkey.config.ts", "latchkey.config.js", "latchkey.config.json"];

/**
 * The options of `latchkey.config.ts`, `.js` or `.json` in the working folder, which an app and the command
 * line both read; none where there is no such file.
 * @throws SettingError naming the file, where it can't be used.
 */
export async function optionsFromFile(): Promise<LatchkeyOptions> {
  const name = NAMES.find((one) => existsSync(one));
  if (name === undefined) return {};
  const options = await read(name);
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new SettingError(name, "must export an object of options (export default { baseUrl: … })");
  const problem = unknownOption(options);
  if (problem !== null) throw new SettingError(name, `can't be used: ${problem}`);
  return options;
}

async function read(name: string): Promise<unknown> {
  const path = join(process.cwd(), name);
  try {
    if (name.endsWith(".json")) return JSON.parse(await readFile(path, "utf8"));
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    const [why] = String(error instanceof Error ? error.message : error).split("\n");
    throw new SettingError(name, `can't be read (${why})`);
  }
}
