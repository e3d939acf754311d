import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/**
 * Copies a file to a new one that only this user can read from the first byte on, whatever the mode of the
 * original. @throws if the target already exists.
 */
export async function copyPrivately(source: string, target: string): Promise<void> {
  await pipeline(
    createReadStream(source),
    createWriteStream(target, { mode: 0o600, flags: "wx", flush: true }),
  );
}
