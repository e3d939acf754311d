import { hash } from "node:crypto";

/** What is stored of a token. SHA-256 is enough for 256 random bits; there is nothing to guess. */
export function hashToken(token: string): Uint8Array {
  return hash("sha256", token, "buffer");
}
