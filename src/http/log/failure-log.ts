import type { Logger } from "pino";
import { createLinesAMinute } from "../../lines-a-minute.ts";

/** The log's messages for requests that the server failed to answer properly, and their levels. */
const LEVELS = {
  "Not available.": "error",
  "A request failed.": "error",
  "The database does not answer.": "warn",
} as const;

type Words = keyof typeof LEVELS;

export type FailureLog = ReturnType<typeof createFailureLog>;

/** Logs failures, with a limit a minute for each kind, so that no kind crowds out another. */
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
    /** Once the minute is over, logs how many failures it left out. */
    tellLeftOut(now: number): void {
      for (const limit of Object.values(limits)) limit.tellLeftOut(now);
    },
  };
}
