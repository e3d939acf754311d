import { hash } from "node:crypto";

/** Only this hash of a token is stored. Plain SHA-256 is enough: 256 random bits can't be guessed. */
export function hashToken(token: string): Uint8Array {
  return hash("sha256", token, "buffer");
}
