import { randomBytes } from "node:crypto";

export { hashToken } from "../database/token-hash.ts";

const PREFIX = "lk1_";
const SHAPE = /^lk1_[A-Za-z0-9_-]{43}$/;

/** A new session token: `lk1_` and 32 random bytes in base64url. It is never stored, only its hash. */
export function makeToken(): string {
  return PREFIX + makeSecret();
}

/**
 * Derives the session token for another system's token: always the same one, and only with the key can it be
 * made. `hmac` is that of the seal.
 */
export function tokenForOld(oldToken: string, hmac: (text: string) => Buffer): string {
  return PREFIX + hmac(`old session:${oldToken}`).toString("base64url");
}

/** How long another system's token may be, in characters. A shorter one could be guessed. */
export const OLD_TOKEN = { shortest: 20, longest: 512 };

/** Whether another system's token has a length that can be imported; nothing else reaches the database. */
export function looksLikeOldToken({ length }: string): boolean {
  return length >= OLD_TOKEN.shortest && length <= OLD_TOKEN.longest;
}

/** 32 random bytes in base64url, for emailed links, pending sign-ins and device cookies. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** A public id: opaque, 128 random bits. Never begins with a dash, which a command line would take for an option. */
export function makeId(): string {
  const id = randomBytes(16).toString("base64url");
  return /^[A-Za-z0-9]/.test(id) ? id : makeId();
}

/** Whether a text has the form of a public id. */
export function looksLikeId(text: string): boolean {
  return /^[A-Za-z0-9_-]{22}$/.test(text);
}

/** Whether a cookie's value has the form of a session token; nothing else reaches the database. */
export function looksLikeToken(value: string): boolean {
  return SHAPE.test(value);
}
