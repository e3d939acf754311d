import { statSync } from "node:fs";
import type { HttpParts } from "../http/call.ts";
import { openLatchkey } from "../latchkey.ts";
import { readSettings, type Settings } from "../options/options.ts";
import type { Outcome } from "../refusals.ts";
import { givenOptions } from "./given-options.ts";
import { CommandFailed } from "./terminal.ts";

/**
 * Opens what the settings name, does the work, and closes everything: emails that wait are sent first.
 * @throws CommandFailed where there is no database yet, except for a command that `creates` one.
 */
export async function withLatchkey<T>(
  work: (parts: HttpParts) => Promise<T>,
  { creates = false } = {},
): Promise<T> {
  const options = await givenOptions();
  const missing = creates ? null : missingDatabase(readSettings(options));
  if (missing !== null) throw new CommandFailed(missing);
  // What a start warns of is for the server's log, and doctor says it.
  const latchkey = await openLatchkey({ ...options, logLevel: options.logLevel ?? "error" });
  latchkey.parts.log.level = options.logLevel ?? "warn";
  try {
    return await work(latchkey.parts);
  } finally {
    await latchkey.close();
  }
}

/** The sentence that says where there is no embedded database; null where there is one, or PostgreSQL. */
export function missingDatabase({ database }: Settings): string | null {
  return database.engine === "postgres" ? null : missingFile(database.file);
}

/** The same for a file. */
export function missingFile(file: string): string | null {
  try {
    statSync(file);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES"
      ? `This user may not look into the folder of ${file}. Run this as the user that Latchkey runs as.`
      : `There is no database at ${file}. Run this in the folder that Latchkey runs in, or set DATABASE_URL.`;
  }
}

/** The good outcome of a rule. @throws CommandFailed with the sentence of the other one. */
export function orRefused<T>(outcome: Outcome<T>): { ok: true } & T {
  if (outcome.ok) return outcome;
  throw new CommandFailed(outcome.detail);
}
