import type { Latchkey } from "../latchkey.ts";
import { createLatchkey } from "../latchkey.ts";
import type { Outcome } from "../refusals.ts";
import type { ExitCode, Run } from "./command.ts";
import { Refused } from "./command.ts";

/** Opens what the settings name, does the work, and closes everything: mails that wait are sent first. */
export async function withLatchkey(
  { options }: Run,
  work: (latchkey: Latchkey) => Promise<ExitCode>,
): Promise<ExitCode> {
  const latchkey = await createLatchkey({ ...options, logLevel: options.logLevel ?? "warn" });
  try {
    return await work(latchkey);
  } finally {
    await latchkey.close();
  }
}

/** The good outcome of a rule. @throws Refused with the sentence of the other one. */
export function orRefused<T>(outcome: Outcome<T>): { ok: true } & T {
  if (outcome.ok) return outcome;
  throw new Refused(outcome.detail);
}
