import { createReadStream, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Found, type Source, SourceUnusable } from "./incoming.ts";

/** A file with one account as JSON in each line; empty lines count, but hold nothing. */
export function readJsonLines(file: string): Source {
  const size = sizeOf(file);
  const stream = createReadStream(file, { encoding: "utf8" });
  return {
    found: lines(stream),
    share: () => (size === 0 ? 1 : stream.bytesRead / size),
    async close() {
      stream.destroy();
    },
  };
}

function sizeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) throw new SourceUnusable(`${file} does not exist.`);
  if (found.isDirectory()) throw new SourceUnusable(`${file} is a folder, not a file.`);
  return found.size;
}

async function* lines(stream: NodeJS.ReadableStream): AsyncGenerator<Found> {
  let number = 0;
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    const text = number === 1 ? line.replace(/^\uFEFF/, "") : line;
    if (text.trim() !== "") yield { where: `line ${number}`, ...read(text) };
  }
}

/** The parser's own words would repeat a piece of the line, and that may be a secret. */
function read(text: string): Omit<Found, "where"> {
  try {
    return { given: JSON.parse(text) };
  } catch {
    return { unreadable: "It is not valid JSON; each line holds one whole object." };
  }
}
