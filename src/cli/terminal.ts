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

/** Prints the result of a command: JSON for programs, else a sentence. */
export function printResult({ json }: JsonFlag, data: object, words: string): void {
  print(json ? JSON.stringify(data) : words);
}

/** "1 session", "1,200 sessions". */
export function many(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
}

/** The message of an error, followed by that of its cause, such as the database's own. */
export function sentenceOf({ message, cause }: Error): string {
  if (!(cause instanceof Error) || cause.message === "" || message.includes(cause.message)) return message;
  return `${message.replace(/\.$/, "")} (${cause.message}).`;
}

/**
 * Lets a command finish its work though its output can't be written: a pipe's reader may close early, as `head`
 * does, or the disk may be full. Lost output is a failure, unless the reader closed the pipe.
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

/** Asks at a terminal. Returns an empty string if the input ends without an answer. */
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
