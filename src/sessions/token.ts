import { randomBytes } from "node:crypto";

export { hashToken } from "../database/token-hash.ts";

const PREFIX = "lk1_";
const SHAPE = /^lk1_[A-Za-z0-9_-]{43}$/;

/** A new session token: `lk1_` and 32 random bytes in base64url. It exists in the cookie only. */
export function makeToken(): string {
  return PREFIX + makeSecret();
}

/**
 * The session token that stands for another system's: always the same one, and nobody without the key can make it
 * from the old one. `hmac` is the seal's.
 */
export function tokenForOld(oldToken: string, hmac: (text: string) => Buffer): string {
  return PREFIX + hmac(`old session:${oldToken}`).toString("base64url");
}

/** How long another system's token is, in characters: a shorter one could be guessed. */
export const OLD_TOKEN = { shortest: 20, longest: 512 };

/** Whether another system's token has a length with which its session is imported; nothing else reaches the database. */
export function looksLikeOldToken({ length }: string): boolean {
  return length >= OLD_TOKEN.shortest && length <= OLD_TOKEN.longest;
}

/** 32 random bytes in base64url: emailed links, pending sign-ins, device cookies. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** A public id: opaque, 128 random bits. Never begins with a dash, which a command line would take for an option. */
export function makeId(): string {
  const id = randomBytes(16).toString("base64url");
  return /^[A-Za-z0-9]/.test(id) ? id : makeId();
}

/** Whether a text has the form of such an id. */
export function looksLikeId(text: string): boolean {
  return /^[A-Za-z0-9_-]{22}$/.test(text);
}

/** Whether a cookie's value has the form of a session token; nothing else reaches the database. */
export function looksLikeToken(value: string): boolean {
  return SHAPE.test(value);
}
