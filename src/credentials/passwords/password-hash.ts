import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { isForeign, kindOfForeign, verifyForeign } from "./imported-password.ts";
import { createSemaphore } from "./semaphore.ts";

/** OWASP's minimum for argon2id: 19 MiB, two passes, one lane; about 30 ms. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** How many threads Node's pool has if UV_THREADPOOL_SIZE isn't set. */
const USUAL_POOL = 4;
/** How long a password may wait for its turn, in ms; then the answer is 503. */
const TIMEOUT = 10_000;

export type PasswordHashes = ReturnType<typeof createPasswordHashes>;

/**
 * How many passwords are hashed at once: one per core, but at most one fewer than the threads in Node's pool.
 * So other work that needs the pool, such as reading files or resolving host names, doesn't wait behind a
 * flood of sign-ins.
 */
export function hashesAtOnce(
  cores: number,
  pool = Number(process.env.UV_THREADPOOL_SIZE) || USUAL_POOL,
): number {
  return Math.max(1, Math.min(cores, pool - 1));
}

/**
 * Only a few hashes are computed at once, so that a flood of sign-ins doesn't take session checks down.
 * `foreignKinds` returns a sample hash of each kind that is left from imports. A refusal always takes one
 * check of our own kind and one of each imported kind, with the account's own hash if it is one of those. So
 * its time doesn't reveal whether an account exists or was imported.
 */
export function createPasswordHashes(foreignKinds: () => Promise<string[]>) {
  const semaphore = createSemaphore(
    hashesAtOnce(availableParallelism()),
    TIMEOUT,
    "Too many passwords are being checked.",
  );
  const nobody = { cost: COST, salt: randomBytes(SALT_BYTES), digest: randomBytes(HASH_BYTES) };

  async function verifyOwn(password: string, hash: string | null) {
    const { cost, salt, digest } = (hash === null ? null : parse(hash)) ?? nobody;
    const made = await semaphore.run(() => derive(password, salt, cost, digest.length));
    const right = hash !== null && timingSafeEqual(made, digest);
    return { right, outdated: cost.memory < COST.memory || cost.passes < COST.passes };
  }

  async function verifyKinds(password: string, hash: string | null): Promise<boolean> {
    const kindOf = (stored: string) => kindOfForeign(stored).kind;
    const samples = await foreignKinds();
    const others = hash === null ? samples : samples.filter((sample) => kindOf(sample) !== kindOf(hash));
    if (hash !== null && (await semaphore.run(() => verifyForeign(password, hash)))) return true;
    for (const sample of others) await semaphore.run(() => verifyForeign(password, sample));
    return false;
  }

  /** The bare hash with a given salt, at the cost of a password. @throws Busy if too many wait. */
  const digest = (text: string, salt: Buffer) => semaphore.run(() => derive(text, salt, COST, HASH_BYTES));

  return {
    digest,
    async hash(password: string): Promise<string> {
      const salt = randomBytes(SALT_BYTES);
      const made = await digest(password, salt);
      const { memory, passes, parallelism } = COST;
      return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(made)}`;
    },
    /**
     * Verifies a password. A refusal takes the same time whether there is a hash or not, and whichever system
     * made it. `outdated` means that the hash has a lower cost or is another system's, and should be
     * replaced.
     * @throws Busy if too many wait.
     */
    async verify(password: string, hash: string | null): Promise<{ right: boolean; outdated: boolean }> {
      const foreign = hash !== null && isForeign(hash) ? hash : null;
      const own = await verifyOwn(password, foreign === null ? hash : null);
      if (own.right) return own;
      const right = await verifyKinds(password, foreign);
      return { right, outdated: right };
    },
  };
}

const argon2Async = promisify(argon2);

/** Normalizes to NFC, so that a letter typed as one code point or as two is the same; never truncates. */
async function derive(
  password: string,
  nonce: Buffer,
  cost: typeof COST,
  tagLength: number,
): Promise<Buffer> {
  const message = password.normalize("NFC");
  return Buffer.from(await argon2Async("argon2id", { ...cost, message, nonce, tagLength }));
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function parse(hash: string): { cost: typeof COST; salt: Buffer; digest: Buffer } | null {
  const [, memory, passes, lanes, salt, digest] = PHC.exec(hash) ?? [];
  if (!salt || !digest) return null;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(lanes) };
  return { cost, salt: Buffer.from(salt, "base64"), digest: Buffer.from(digest, "base64") };
}

const unpadded = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
