import { statSync } from "node:fs";
import { keyFileOf } from "../../credentials/key-file.ts";
import { countSealed, type Sealed } from "../../credentials/reseal.ts";
import type { HttpParts } from "../../http/call.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** Can this node decrypt what is sealed, and can only this user read the key and database files? */
export async function lookAtSecrets(parts: HttpParts): Promise<Finding[]> {
  const { secretKeys, database } = parts.settings;
  const opens = await opensWhatIsSealed(parts);
  const set = secretKeys === null ? [] : [ok(`LATCHKEY_SECRET_KEY is set (${secretKeys.length}).`)];
  if (database.engine !== "sqlite") return [...opens, ...set];
  const { file } = database;
  const files = isOpen(file)
    ? [warn(`${file} can be read by others, addresses and hashed passwords included: chmod 600 it.`)]
    : [];
  return [...opens, ...files, ...(secretKeys === null ? [lookAtKeyFile(keyFileOf(file))] : set)];
}

function lookAtKeyFile(file: string): Finding {
  return isOpen(file) ? fail(`${file} can be read by others: chmod 600 it.`) : ok(`The key file is ${file}.`);
}

function isOpen(file: string): boolean {
  return ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0;
}

/** Fails on a node whose key differs from the other nodes', or was replaced without keeping the old one. */
async function opensWhatIsSealed(parts: HttpParts): Promise<Finding[]> {
  const counted = await countSealed(parts).catch(() => null);
  if (counted === null) return [];
  const { secondFactors, waitingEmails } = counted;
  return [lookAt("second factors", secondFactors), lookAt("waiting emails", waitingEmails)].flat();
}

function lookAt(what: string, { all, unreadable }: Sealed): Finding[] {
  if (all === 0) return [];
  if (unreadable === 0) return [ok(`The key opens all ${what} (${all}).`)];
  return [
    fail(
      `The key does not open ${unreadable} of ${all} ${what}: LATCHKEY_SECRET_KEY (or the key file) is not the one they were written with. Set it to new,old if you have the old one.`,
    ),
  ];
}
