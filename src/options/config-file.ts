import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { unknownOption } from "./names.ts";
import type { LatchkeyOptions } from "./options.ts";
import { SettingError } from "./setting-error.ts";

const NAMES = ["latchkey.config.ts", "latchkey.config.js", "latchkey.config.json"];
/** Names that look right but aren't read: refused, since the options would otherwise be silently ignored. */
const OTHER_NAMES = ["mjs", "cjs", "mts", "cts"].map((ending) => `latchkey.config.${ending}`);

/**
 * The options in `latchkey.config.ts`, `.js` or `.json` in the working folder, which an app and the command
 * line both read; none if there is no such file.
 * @throws SettingError naming the file, if it can't be used.
 */
export async function optionsFromFile(): Promise<LatchkeyOptions> {
  const name = NAMES.find((one) => existsSync(one));
  if (name === undefined) return noOptions();
  const options = await read(name);
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new SettingError(name, "must export an object of options (export default { baseUrl: … })");
  const problem = unknownOption(options);
  if (problem !== null) throw new SettingError(name, `can't be used: ${problem}`);
  return options;
}

/** @throws SettingError if there is such a file under a name that isn't read. */
function noOptions(): LatchkeyOptions {
  const other = OTHER_NAMES.find((one) => existsSync(one));
  if (other !== undefined)
    throw new SettingError(other, "isn't read. Name it latchkey.config.ts, .js or .json");
  return {};
}

async function read(name: string): Promise<unknown> {
  const path = join(process.cwd(), name);
  try {
    if (name.endsWith(".json")) return JSON.parse(await readFile(path, "utf8"));
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    const [why] = String(error instanceof Error ? error.message : error).split("\n");
    const isCommonJs = error instanceof SyntaxError && /token 'export'|import statement/.test(error.message);
    const remedy = 'Set "type": "module" in package.json, or write module.exports = { … }';
    throw new SettingError(name, `can't be read (${why})${isCommonJs ? `. ${remedy}` : ""}`);
  }
}
