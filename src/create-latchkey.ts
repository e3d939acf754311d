import crypto from "node:crypto";
import type { Latchkey } from "./latchkey.ts";
import { optionsFromFile } from "./options/config-file.ts";
import type { LatchkeyOptions } from "./options/options.ts";

/**
 * Creates a Latchkey with these options. Others come from `latchkey.config.ts`, `.js` or `.json` in the
 * working folder, if there is one, or else have their defaults. Opens the database and brings it up to date.
 * Call `close` when the app ends.
 * @throws SettingError, DatabaseUnusable; Error if Node.js is too old, if this isn't Node.js, or if a bundler
 * has separated this code from its package.
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
  // Imported only after the checks: on an older Node.js, loading these modules fails with an obscure error.
  const { requireOwnFiles } = await import("./own-files.ts");
  requireOwnFiles();
  const { openLatchkey, whereEmailsGo } = await import("./latchkey.ts");
  // An undefined option, for example from an unset environment variable, counts as not given.
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const latchkey = await openLatchkey({ ...(await optionsFromFile()), ...Object.fromEntries(given) });
  const emailsGo = whereEmailsGo(latchkey.settings);
  if (emailsGo !== null) latchkey.parts.log.info(emailsGo);
  return latchkey;
}
