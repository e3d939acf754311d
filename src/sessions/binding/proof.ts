import { compactVerify, decodeProtectedHeader, importJWK } from "jose";
import { z } from "zod";

/** In characters. No browser sends a longer proof; a longer one is never parsed. */
const LONGEST = 8_192;

const number = z.string().regex(/^[A-Za-z0-9_-]+$/);

/** A public key as a browser registers it. Other members of the JWK are dropped. */
const publicKey = z.union([
  z.object({
    alg: z.literal("ES256"),
    jwk: z.object({
      kty: z.literal("EC"),
      crv: z.literal("P-256"),
      x: number.length(43),
      y: number.length(43),
    }),
  }),
  z.object({
    alg: z.literal("RS256"),
    // 2048 to 4096 bits; a huge one would be slow to verify with.
    jwk: z.object({
      kty: z.literal("RSA"),
      n: number.min(342).max(683),
      e: z.literal("AQAB"),
    }),
  }),
]);

export type BindingKey = z.infer<typeof publicKey>;

/** What a browser signed to register: the challenge, and its key. */
type Signed = { challenge: string; key: BindingKey };

const header = z.object({
  typ: z.literal("dbsc+jwt"),
  alg: z.enum(["ES256", "RS256"]),
  jwk: z.unknown().optional(),
});
const payload = z.object({ jti: z.string().min(1).max(256), key: z.unknown().optional() });

/** Verifies a registration, which is signed with the key that it carries. Null if it isn't valid. */
export async function readRegistration(jwt: string): Promise<Signed | null> {
  const key = registeredKey(jwt);
  const challenge = key && (await readProof(jwt, key));
  return key && challenge ? { key, challenge } : null;
}

/** The key is in the header; earlier browsers put it in the payload. */
function registeredKey(jwt: string): BindingKey | null {
  const read = readHeader(jwt);
  if (!read) return null;
  const jwk = read.jwk ?? readPayload(Buffer.from(jwt.split(".")[1] ?? "", "base64url"))?.key;
  return publicKey.safeParse({ alg: read.alg, jwk }).data ?? null;
}

/** The challenge that a proof signs, verified with this key, not with one it carries. Null if invalid. */
export async function readProof(jwt: string, { alg, jwk }: BindingKey): Promise<string | null> {
  if (!readHeader(jwt)) return null;
  try {
    const signed = await compactVerify(jwt, await importJWK(jwk, alg), { algorithms: [alg] });
    return readPayload(signed.payload)?.jti ?? null;
  } catch {
    return null;
  }
}

/** Parses a stored key. @throws if it isn't one. */
export function storedKey(text: string): BindingKey {
  return publicKey.parse(JSON.parse(text));
}

function readHeader(jwt: string) {
  if (jwt.length > LONGEST) return null;
  try {
    return header.safeParse(decodeProtectedHeader(jwt)).data ?? null;
  } catch {
    return null;
  }
}

function readPayload(bytes: Uint8Array) {
  try {
    return (
      payload.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))).data ?? null
    );
  } catch {
    return null;
  }
}
