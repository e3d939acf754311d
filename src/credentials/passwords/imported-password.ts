import { argon2, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { codeFile } from "../../own-files.ts";
import type { Question } from "./bcrypt-worker.ts";

/** Marks another system's hash. It is verified as it is, and replaced with ours at the next sign-in. */
export const FOREIGN = "foreign:";

/** The most that one check may cost; a hash that needs more isn't imported. */
const MOST_MEMORY = 256 * 1024 * 1024; // bytes
const MOST_PASSES = 64;
const MOST_LANES = 64;
/** About 3 s. */
const HIGHEST_BCRYPT_COST = 15;
const LEAST_SALT_BYTES = 8;
const LEAST_DIGEST_BYTES = 16;

/** How to check a password against a hash. Each of the spellings (Unicode normalizations) is tried. */
type Check = { spellings: readonly Spelling[]; matches(password: string): Promise<boolean> };
type Spelling = "as typed" | "NFC" | "NFKC";

/** Turns another system's hash into its stored form; or `why`, half a sentence, if it can't be used. */
export function takeOverPassword(hash: string): { stored: string } | { why: string } {
  const check = readCheck(hash);
  return "why" in check ? check : { stored: FOREIGN + hash };
}

export function isForeign(stored: string): boolean {
  return stored.startsWith(FOREIGN);
}

/** Whether this is the password of an imported hash. */
export async function verifyForeign(password: string, stored: string): Promise<boolean> {
  const check = readCheck(stored.slice(FOREIGN.length));
  if ("why" in check) return false;
  const spelled = new Set(check.spellings.map((spelling) => spell(password, spelling)));
  for (const one of spelled) if (await check.matches(one)) return true;
  return false;
}

const COST_PREFIX = /^\$(2[aby]\$\d\d|[a-z0-9]+\$(?:v=\d+\$)?[a-z0-9=,]+)\$/;

/** The algorithm and cost of an imported hash, and the prefix that all stored hashes with them share. */
export function kindOfForeign(stored: string): { kind: string; prefix: string } {
  const [costs, inside] = COST_PREFIX.exec(stored.slice(FOREIGN.length)) ?? [];
  // Only better-auth's hashes have no cost prefix: they begin with the salt, in hex.
  if (costs === undefined || inside === undefined) return { kind: "better-auth", prefix: `${FOREIGN}f` };
  return { kind: inside.replace(/^2[aby]/, "bcrypt"), prefix: FOREIGN + costs };
}

function spell(password: string, spelling: Spelling): string {
  return spelling === "as typed" ? password : password.normalize(spelling);
}

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const ARGON2 = /^\$(argon2(?:id|i|d))\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const SCRYPT = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
/** better-auth doesn't decode the salt's hex text; its parameters are always the same. */
const BETTER_AUTH = /^([0-9a-f]{32}):([0-9a-f]{128})$/;
const BETTER_AUTH_COST = { N: 16_384, r: 16, p: 1 };

function readCheck(hash: string): Check | { why: string } {
  const [bcrypt, cost] = BCRYPT.exec(hash) ?? [];
  if (bcrypt !== undefined) return bcryptCheck(hash, Number(cost));
  const [betterAuth, text = "", hex = ""] = BETTER_AUTH.exec(hash) ?? [];
  if (betterAuth !== undefined) {
    return scryptCheck(["NFKC"], BETTER_AUTH_COST, Buffer.from(text), Buffer.from(hex, "hex"));
  }
  const [phc, exponent, r, p, salt = "", digest = ""] = SCRYPT.exec(hash) ?? [];
  if (phc !== undefined) {
    const cost = { N: 2 ** Number(exponent), r: Number(r), p: Number(p) };
    return scryptCheck(["as typed", "NFC"], cost, fromBase64(salt), fromBase64(digest));
  }
  const found = ARGON2.exec(hash);
  if (found) return argon2Check(found);
  return { why: "it is of a kind that Latchkey can't verify (it can: bcrypt, scrypt, argon2)" };
}

const COSTLY = { why: "verifying it would take more of the machine than Latchkey gives to one sign-in" };
const MALFORMED = { why: "it is cut short or not well formed" };

function bcryptCheck(hash: string, cost: number): Check | { why: string } {
  if (cost > HIGHEST_BCRYPT_COST) return COSTLY;
  if (cost < 4) return MALFORMED;
  return { spellings: ["as typed", "NFC"], matches: (password) => compareInThread({ password, hash }) };
}

const scryptAsync = promisify<string, Buffer, number, object, Buffer>(scrypt);

function scryptCheck(
  spellings: readonly Spelling[],
  cost: { N: number; r: number; p: number },
  salt: Buffer,
  digest: Buffer,
): Check | { why: string } {
  const memory = 128 * cost.N * cost.r;
  if (memory > MOST_MEMORY || cost.p > MOST_LANES) return COSTLY;
  if (cost.N < 2 || cost.r < 1 || cost.p < 1 || isTooShort(salt, digest)) return MALFORMED;
  return {
    spellings,
    async matches(password) {
      const made = await scryptAsync(password, salt, digest.length, { ...cost, maxmem: 2 * memory + 65_536 });
      return timingSafeEqual(made, digest);
    },
  };
}

const argon2Async = promisify(argon2);

function argon2Check(found: RegExpExecArray): Check | { why: string } {
  const [, kind, memory, passes, lanes, salt = "", digest = ""] = found;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(lanes) };
  const nonce = fromBase64(salt);
  const expected = fromBase64(digest);
  if (cost.memory * 1024 > MOST_MEMORY || cost.passes > MOST_PASSES || cost.parallelism > MOST_LANES)
    return COSTLY;
  const isPossible = cost.parallelism >= 1 && cost.passes >= 1 && cost.memory >= 8 * cost.parallelism;
  if (!isPossible || isTooShort(nonce, expected)) return MALFORMED;
  return {
    spellings: ["as typed", "NFC"],
    async matches(password) {
      const algorithm = kind as "argon2id" | "argon2i" | "argon2d";
      const asked = { ...cost, message: password, nonce, tagLength: expected.length };
      return timingSafeEqual(await argon2Async(algorithm, asked), expected);
    },
  };
}

function isTooShort(salt: Buffer, digest: Buffer): boolean {
  return salt.length < LEAST_SALT_BYTES || digest.length < LEAST_DIGEST_BYTES;
}

const fromBase64 = (text: string) => Buffer.from(text, "base64");

/** bcrypt is plain JavaScript, so it runs in its own thread: session checks never wait for it. */
function compareInThread(question: Question): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(codeFile("credentials/passwords/bcrypt-worker.ts"), { workerData: question });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
