import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Database } from "../database/database.ts";
import { readKeys } from "../options/kinds.ts";
import { SettingError, type Settings } from "../options/options.ts";

export function keyFileOf(databaseFile: string): string {
  return join(dirname(databaseFile), "latchkey.key");
}

/**
 * The keys with which secrets are sealed: from the settings, or from the key file beside the embedded
 * database. The file is created (0600) if there is none and nothing is sealed yet.
 * @throws SettingError if the key file is lost: a new key couldn't open what is sealed, and would hide the
 * loss.
 */
export async function readSecretKeys(settings: Settings, database: Database): Promise<readonly Uint8Array[]> {
  if (settings.secretKeys) return settings.secretKeys;
  if (settings.database.engine !== "sqlite")
    throw new SettingError("LATCHKEY_SECRET_KEY", "must be set with PostgreSQL");
  const file = keyFileOf(settings.database.file);
  const key = readKeyFile(file);
  if (key === null && (await holdsSealed(database)))
    throw new SettingError(
      file,
      "is missing, and the database holds second factors or waiting emails that only its key opens; put it back from a backup (its name there ends in .db.key), or set LATCHKEY_SECRET_KEY to the key they were sealed with. If that key is lost, set a new one (openssl rand -hex 32); for each person whose second factor it leaves unreadable, run latchkey accounts reset-two-factor",
    );
  return readKeys(file, key ?? makeKeyFile(file));
}

async function holdsSealed({ read }: Database): Promise<boolean> {
  const secondFactor = read
    .selectFrom("two_factor")
    .select("account_id")
    .where("confirmed_at", "is not", null)
    .limit(1);
  const email = read.selectFrom("outgoing_email").select("id").limit(1);
  return [await secondFactor.executeTakeFirst(), await email.executeTakeFirst()].some(Boolean);
}

function readKeyFile(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new SettingError(
      file,
      "can't be read; give this user the right to read it, or set LATCHKEY_SECRET_KEY",
    );
  }
}

/** Written under another name and then linked, so that two servers that start at once use the same key. */
function makeKeyFile(file: string): string {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(draft, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, "utf8").trim();
}
