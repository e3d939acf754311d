import { existsSync } from "node:fs";
import type { HttpParts } from "../http/call.ts";
import { createLatchkey } from "../latchkey.ts";
import { optionsFromEnvironment, readSettings } from "../options/options.ts";
import type { Outcome } from "../refusals.ts";
import { Refused } from "./terminal.ts";

/**
 * Opens what the settings name, does the work, and closes everything: emails that wait are sent first.
 * @throws Refused where there is no database yet, except for a command that `creates` one.
 */
export async function withLatchkey<T>(
  work: (parts: HttpParts) => Promise<T>,
  { creates = false } = {},
): Promise<T> {
  const options = optionsFromEnvironment(process.env);
  const { database } = readSettings(options);
  if (!creates && database.engine === "sqlite" && !existsSync(database.file))
    throw new Refused(
      `There is no database at ${database.file}. Run this in the folder that Latchkey runs in, or set DATABASE_URL.`,
    );
  const latchkey = await createLatchkey({ ...options, logLevel: options.logLevel ?? "warn" });
  try {
    return await work(latchkey.parts);
  } finally {
    await latchkey.close();
  }
}

/** The good outcome of a rule. @throws Refused with the sentence of the other one. */
export function orRefused<T>(outcome: Outcome<T>): { ok: true } & T {
  if (outcome.ok) return outcome;
  throw new Refused(outcome.detail);
}
