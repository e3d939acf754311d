import type { Logger } from "pino";
import { createLinesAMinute } from "../../lines-a-minute.ts";

/** What the log says of requests that the server could not answer as asked. */
const LEVELS = {
  "Not available.": "error",
  "A request failed.": "error",
  "The database does not answer.": "warn",
} as const;

type Words = keyof typeof LEVELS;

export type FailureLog = ReturnType<typeof createFailureLog>;

/** Failures as lines of the log, so many of each kind a minute: none hides another. */
export function createFailureLog(log: Pick<Logger, "error" | "warn">) {
  const limitOf = (words: Words) =>
    createLinesAMinute((leftOut) => log[LEVELS[words]](leftOut, `${words} More of these than are logged.`));
  const limits = {
    "Not available.": limitOf("Not available."),
    "A request failed.": limitOf("A request failed."),
    "The database does not answer.": limitOf("The database does not answer."),
  };
  return {
    note(words: Words, facts: { err: unknown }, now: number): void {
      if (limits[words].takes(now)) log[LEVELS[words]](facts, words);
    },
    /** Logs how many failures of a minute that is over were left out. */
    tellLeftOut(now: number): void {
      for (const limit of Object.values(limits)) limit.tellLeftOut(now);
    },
  };
}
