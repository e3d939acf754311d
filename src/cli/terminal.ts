import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** The command can't do what was asked; the message is one line, the exit code 1. */
export class CommandFailed extends Error {
  override name = "CommandFailed";
}

/** A flag or an argument that the command doesn't take; the message is one line, the exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Writes a line of data to standard output. */
export const print = (line: string) => process.stdout.write(`${line}\n`);
/** Writes a line for the person to standard error. */
export const say = (line: string) => process.stderr.write(`${line}\n`);

export type JsonFlag = { json?: true };

/** What a command has done, for programs or in words. */
export function printResult({ json }: JsonFlag, data: object, words: string): void {
  print(json ? JSON.stringify(data) : words);
}

/** "1 session", "1,200 sessions". */
export function many(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
}

/** The message of an error, with what the database said where that is its cause. */
export function sentenceOf({ message, cause }: Error): string {
  if (!(cause instanceof Error) || cause.message === "" || message.includes(cause.message)) return message;
  return `${message.replace(/\.$/, "")} (${cause.message}).`;
}

/**
 * The reader of a pipe may go away early, as `head` does, and the disk of a file may be full: what is under way is
 * finished all the same. Output that is lost is a failure, except where its reader has had enough.
 */
export function outliveReaders(): void {
  process.stderr.on("error", () => {});
  let isTold = false;
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code === "EPIPE" || isTold) return;
    isTold = true;
    process.exitCode = 1;
    say(`Standard output can't be written (${code}).`);
  });
}

/** Asks at a terminal; empty where the input ends instead of an answer. */
export async function ask(question: string, { hidden = false } = {}): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = hidden ? nowhere : process.stderr;
  const terminal = createInterface({ input: process.stdin, output, terminal: hidden });
  process.stderr.write(question);
  try {
    for await (const line of terminal) return line;
    return "";
  } finally {
    terminal.close();
    if (hidden) process.stderr.write("\n");
  }
}
