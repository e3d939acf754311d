import { createReadStream, type ReadStream, statSync } from "node:fs";
import { type Found, type Source, SourceUnusable } from "./incoming.ts";

/** In characters: far more than an account needs, and far below the longest string that Node allows. */
const LONGEST_LINE = 10_000_000;

/** Reads a file with one account as JSON in each line. Empty lines are skipped, but count in line numbers. */
export function readJsonLines(file: string): Source {
  const size = sizeOf(file);
  const stream = createReadStream(file, { encoding: "utf8" });
  return {
    found: accounts(file, stream),
    share: () => (size === 0 ? 1 : stream.bytesRead / size),
    async close() {
      stream.destroy();
    },
  };
}

function sizeOf(file: string): number {
  try {
    const found = statSync(file);
    if (found.isDirectory()) throw new SourceUnusable(`${file} is a folder, not a file.`);
    return found.size;
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function* accounts(file: string, stream: ReadStream): AsyncGenerator<Found> {
  let number = 0;
  try {
    for await (const line of linesOf(stream)) {
      number += 1;
      const text = number === 1 ? line?.replace(/^\uFEFF/, "") : line;
      if (text?.trim() !== "") yield { where: `line ${number}`, ...read(text) };
    }
  } catch (error) {
    throw unreadable(file, error);
  }
}

/**
 * Splits at line feeds only, as JSON Lines does: `readline` would also split at a U+2028 inside a string. Yields
 * undefined for a line that is too long, and keeps none of it.
 */
async function* linesOf(stream: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  let parts: string[] = [];
  let length = 0;
  const take = () => {
    const line = length > LONGEST_LINE ? undefined : parts.join("");
    [parts, length] = [[], 0];
    return line;
  };
  for await (const chunk of stream) {
    for (const [at, part] of chunk.split("\n").entries()) {
      if (at > 0) yield take();
      length += part.length;
      if (length <= LONGEST_LINE) parts.push(part);
      else parts = [];
    }
  }
  if (length > 0) yield take();
}

/** Leaves out the parser's own message, which would repeat a piece of the line: it may be a secret. */
function read(text: string | undefined): Omit<Found, "where"> {
  if (text === undefined) return { unreadable: "It is too long; each line holds one account." };
  try {
    return { given: JSON.parse(text) };
  } catch {
    return { unreadable: "It is not valid JSON; each line holds one whole object." };
  }
}

function unreadable(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return new SourceUnusable(`${file} does not exist.`);
  return typeof code === "string" ? new SourceUnusable(`${file} can't be read (${code}).`) : error;
}
