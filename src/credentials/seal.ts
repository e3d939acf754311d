import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts what must be read again later: TOTP secrets and the like. */
export type Seal = ReturnType<typeof createSeal>;

/** A sealed value can't be decrypted. The message is for the operator; visitors are told "not available". */
export class DecryptionError extends Error {
  override name = "DecryptionError";
}

/** Seals with AES-256-GCM and the first key, the newest; older keys still open what they sealed. */
export function createSeal(keys: readonly Uint8Array[]) {
  const [newest] = keys;
  if (!newest) throw new Error("A seal needs a key.");
  return {
    /** 32 bytes that are always the same for the same text, and that nobody can compute without the key. */
    hmac: (text: string): Buffer => createHmac("sha256", newest).update(`stamp:${text}`).digest(),
    /** Encrypts with the newest key. `boundTo` names what the value belongs to, such as an account's id. */
    close(plain: string, boundTo: string): Uint8Array {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", newest, nonce).setAAD(Buffer.from(boundTo));
      return Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    keyAge(sealed: Uint8Array, boundTo: string): "the newest key" | "an older key" | "none" {
      const index = keys.findIndex((key) => tryKey(key, Buffer.from(sealed), boundTo) !== null);
      return index === 0 ? "the newest key" : index > 0 ? "an older key" : "none";
    },
    /** @throws DecryptionError if no key fits, or the bytes were changed or moved to another row. */
    open(sealed: Uint8Array, boundTo: string): string {
      for (const key of keys) {
        const plain = tryKey(key, Buffer.from(sealed), boundTo);
        if (plain !== null) return plain;
      }
      throw new DecryptionError(
        "A stored secret can't be read: LATCHKEY_SECRET_KEY (or the key file) is not the one it was written with.",
      );
    },
  };
}

function tryKey(key: Uint8Array, sealed: Buffer, boundTo: string): string | null {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(boundTo)).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const plain = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([plain, decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}
