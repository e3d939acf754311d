import crypto from "node:crypto";
import type { Latchkey } from "./latchkey.ts";
import { optionsFromFile } from "./options/config-file.ts";
import type { LatchkeyOptions } from "./options/options.ts";

/**
 * Latchkey with these options. Those that aren't given come from `latchkey.config.ts`, `.js` or `.json` in the
 * working folder if there is one, else they have their defaults. Opens the database and brings it up to date.
 * Close it when the app ends.
 * @throws SettingError, DatabaseUnusable; an Error that says so if Node.js is too old, isn't what runs this, or if
 * a bundler has separated this code from its package.
 */
export async function createLatchkey(options: LatchkeyOptions = {}): Promise<Latchkey> {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new TypeError('createLatchkey takes an object, such as { baseUrl: "http://localhost:3000/auth" }.');
  const { node, bun, deno } = process.versions;
  if (bun || deno)
    throw new Error(`Latchkey needs Node.js itself, and this is ${bun ? `Bun ${bun}` : `Deno ${deno}`}.`);
  if (!("argon2" in crypto))
    throw new Error(
      `Latchkey needs Node.js 24.7 or newer (argon2 in node:crypto), and this is Node.js ${node}.`,
    );
  // Loaded only now: on an older Node.js its imports don't even link.
  const { requireOwnFiles } = await import("./own-files.ts");
  requireOwnFiles();
  const { openLatchkey, whereEmailsGo } = await import("./latchkey.ts");
  // An option that is undefined, such as a variable that isn't set, is one that isn't given.
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const latchkey = await openLatchkey({ ...(await optionsFromFile()), ...Object.fromEntries(given) });
  const emailsGo = whereEmailsGo(latchkey.settings);
  if (emailsGo !== null) latchkey.parts.log.info(emailsGo);
  return latchkey;
}
