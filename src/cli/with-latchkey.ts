import { statSync } from "node:fs";
import type { HttpParts } from "../http/call.ts";
import { openLatchkey } from "../latchkey.ts";
import { readSettings, type Settings } from "../options/options.ts";
import type { Outcome } from "../refusals.ts";
import { givenOptions } from "./given-options.ts";
import { CommandFailed } from "./terminal.ts";

/**
 * Opens Latchkey with the operator's settings, does the work, sends waiting emails, and closes everything.
 * @throws CommandFailed if there is no database yet, except for a command that `creates` one.
 */
export async function withLatchkey<T>(
  work: (parts: HttpParts) => Promise<T>,
  { creates = false } = {},
): Promise<T> {
  const options = await givenOptions();
  const missing = creates ? null : missingDatabase(readSettings(options));
  if (missing !== null) throw new CommandFailed(missing);
  // Warnings at the start belong in the server's log; `doctor` shows them, too.
  const latchkey = await openLatchkey({ ...options, logLevel: options.logLevel ?? "error" });
  latchkey.parts.log.level = options.logLevel ?? "warn";
  try {
    return await work(latchkey.parts);
  } finally {
    await latchkey.close();
  }
}

/** The error sentence if the embedded database doesn't exist; null if it does, or with PostgreSQL. */
export function missingDatabase({ database }: Settings): string | null {
  return database.engine === "postgres" ? null : missingFile(database.file);
}

/** The error sentence if a database file doesn't exist; null if it does. */
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

/** Returns the outcome of a rule that succeeded. @throws CommandFailed with the sentence of a refusal. */
export function orRefused<T>(outcome: Outcome<T>): { ok: true } & T {
  if (outcome.ok) return outcome;
  throw new CommandFailed(outcome.detail);
}
