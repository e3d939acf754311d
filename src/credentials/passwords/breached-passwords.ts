import { hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { SettingError } from "../../options/options.ts";

/** The header of a file: these 8 bytes, and then how many passwords it has. */
const MAGIC = Buffer.from("LKbreach");
const HEADER_BYTES = 16;
/** Bytes kept of a SHA-1: with 100 million entries, one in 10^11 other passwords matches by accident. */
const ENTRY_BYTES = 8;
/** Once the binary search has narrowed to this many entries, they are read at once. */
const ENTRIES_A_READ = 512;
/** A line of a list from Have I Been Pwned: a SHA-1, and how often it was seen. */
const HASHED = /^([0-9a-f]{40})(?::\d+)?$/i;

/** Leaked passwords: their sorted, shortened hashes in a file, of which only parts are read. */
export type BreachedPasswords = {
  has(password: string): Promise<boolean>;
  close(): Promise<void>;
};

/** Opens a file that `latchkey breached-passwords build` wrote. @throws SettingError if it isn't one. */
export async function openBreachedPasswords(path: string): Promise<BreachedPasswords> {
  const file = await open(path).catch(() => null);
  const count = file && (await countOf(file));
  if (file === null || count === null) {
    await file?.close();
    throw new SettingError(
      "LATCHKEY_BREACHED_PASSWORDS",
      `takes a whole file that \`latchkey breached-passwords build\` has written (${path} ${file === null ? "can't be read" : "isn't one"})`,
    );
  }
  return { has: (password) => isIn(file, count, entryOf(password)), close: () => file.close() };
}

/** How many entries a file has; null if it isn't such a file, or only part of one. */
async function countOf(file: FileHandle): Promise<number | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  if (bytesRead < HEADER_BYTES || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const count = Number(buffer.readBigUInt64BE(MAGIC.length));
  return (await file.stat()).size === HEADER_BYTES + count * ENTRY_BYTES ? count : null;
}

async function isIn(file: FileHandle, count: number, wanted: bigint): Promise<boolean> {
  let [from, to] = [0, count];
  while (to - from > ENTRIES_A_READ) {
    const middle = Math.floor((from + to) / 2);
    const [found = 0n] = await readEntries(file, middle, 1);
    if (found === wanted) return true;
    if (found < wanted) from = middle + 1;
    else to = middle;
  }
  return (await readEntries(file, from, to - from)).includes(wanted);
}

async function readEntries(file: FileHandle, from: number, count: number): Promise<bigint[]> {
  const length = count * ENTRY_BYTES;
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(length),
    0,
    length,
    HEADER_BYTES + from * ENTRY_BYTES,
  );
  if (bytesRead < length) throw new Error("The file of LATCHKEY_BREACHED_PASSWORDS was cut short.");
  return Array.from({ length: count }, (_, index) => buffer.readBigUInt64BE(index * ENTRY_BYTES));
}

/** The entry of a password in plain text, which is normalized as at sign-in. */
function entryOf(password: string): bigint {
  return hash("sha1", password.normalize("NFC"), "buffer").readBigUInt64BE();
}

/** The entry for a line of a list, a hash or a password in plain text; null if the line is empty. */
function readLine(line: string): bigint | null {
  const [, hashed] = HASHED.exec(line) ?? [];
  if (hashed !== undefined) return BigInt(`0x${hashed.slice(0, 2 * ENTRY_BYTES)}`);
  return line === "" ? null : entryOf(line);
}

/** Packs a list of passwords into a file's bytes, and counts them. Needs 16 bytes of memory for each. */
export async function packBreachedPasswords(
  lines: AsyncIterable<string>,
): Promise<{ bytes: Uint8Array[]; count: number }> {
  let entries = new BigUint64Array(1_024);
  let length = 0;
  for await (const line of lines) {
    const entry = readLine(line);
    if (entry === null) continue;
    if (length === entries.length) {
      const larger = new BigUint64Array(2 * length);
      larger.set(entries);
      entries = larger;
    }
    entries[length++] = entry;
  }
  const sorted = entries.subarray(0, length).sort();
  const count = moveRepetitionsAway(sorted);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(count), MAGIC.length);
  return { bytes: [header, inFileOrder(sorted.subarray(0, count))], count };
}

/** Moves one copy of each sorted entry to the front. Returns how many different entries there are. */
function moveRepetitionsAway(sorted: BigUint64Array): number {
  let count = 0;
  for (const entry of sorted) if (count === 0 || entry !== sorted[count - 1]) sorted[count++] = entry;
  return count;
}

function inFileOrder(entries: BigUint64Array): Buffer {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength);
  const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  return isLittle ? bytes.swap64() : bytes;
}
