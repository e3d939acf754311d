import type { ParseArgsConfig } from "node:util";
import type { LatchkeyOptions } from "../options.ts";

/** What a command gets: its arguments, the options of the environment, and where to write. */
export type Run = {
  readonly options: LatchkeyOptions;
  readonly arguments: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** Writes a line of data to standard output. */
  print(line: string): void;
  /** Writes a line for the person to standard error. */
  say(line: string): void;
};

export type Command = {
  /** As typed: `sessions end`. */
  readonly name: string;
  /** What stands after the name: `EMAIL`. */
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  readonly flags: NonNullable<ParseArgsConfig["options"]>;
  /** A sentence for each flag. */
  readonly flagHelp: Readonly<Record<string, string>>;
  /** How many arguments it takes. */
  readonly takes: number;
  run(run: Run): Promise<ExitCode>;
};

/** 0 done, 1 refused, 2 used wrongly. */
export type ExitCode = 0 | 1 | 2;

/** A flag or an argument is none that the command takes; the message is one line, the exit code 2. */
export class UsedWrongly extends Error {
  override name = "UsedWrongly";
}

/** The command can't do what was asked; the message is one line, the exit code 1. */
export class Refused extends Error {
  override name = "Refused";
}
