import { createReadStream, type ReadStream, statSync } from "node:fs";
import { type Found, type Source, SourceUnusable } from "./incoming.ts";

/** In characters: far more than an account needs, and far less than a text can hold. */
const LONGEST_LINE = 10_000_000;

/** A file with one account as JSON in each line; empty lines count, but hold nothing. */
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
 * Lines end where JSON lines do, at a line feed: `readline` ends them within a text as well, at U+2028. Undefined for
 * one that is too long, of which nothing is kept.
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

/** The parser's own words would repeat a piece of the line, and that may be a secret. */
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
