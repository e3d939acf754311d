import crypto from "node:crypto";
import type { Latchkey } from "./latchkey.ts";
import { optionsFromFile } from "./options/config-file.ts";
import type { LatchkeyOptions } from "./options/options.ts";

/**
 * Latchkey with these options; those that aren't given are taken from `latchkey.config.ts`, `.js` or `.json` in the
 * working folder, or else have their defaults. Opens the database and brings it up to date. Close it when the app
 * ends.
 * @throws SettingError, DatabaseUnusable; an Error that says so where Node.js is too old.
 */
export async function createLatchkey(options: LatchkeyOptions = {}): Promise<Latchkey> {
  // Loaded only now: on an older Node.js its imports don't even link.
  if (!("argon2" in crypto)) throw new Error(tooOld());
  const { openLatchkey, whereEmailsGo } = await import("./latchkey.ts");
  const latchkey = await openLatchkey({ ...(await optionsFromFile()), ...options });
  const emailsGo = whereEmailsGo(latchkey.settings);
  if (emailsGo !== null) latchkey.parts.log.info(emailsGo);
  return latchkey;
}

function tooOld(): string {
  const { node, bun, deno } = process.versions;
  const found = bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node.js ${node}`;
  return `Latchkey needs Node.js 24.7 or newer (argon2 in node:crypto), and this is ${found}.`;
}
