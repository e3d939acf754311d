import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** What an answer says differently from an honest authenticator's. */
export type Forgery = {
  id?: string;
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  userPresent?: boolean;
  userVerified?: boolean;
  counter?: number;
  userHandle?: string;
  key?: KeyObject;
  breakSignature?: boolean;
  crossOrigin?: boolean;
};

type Options = { challenge: string; rp?: { id?: string }; rpId?: string };

export type Answered = {
  id: string;
  rawId: string;
  type: string;
  clientExtensionResults: object;
  response: Record<string, unknown>;
};

/** One passkey of one browser, ES256 with "none" attestation, as bytes that a test can tamper with. */
export class SoftwareAuthenticator {
  readonly id: string;
  readonly #origin: string;
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #counter = 0;

  constructor(baseUrl: string, id = randomBytes(20).toString("base64url")) {
    this.#origin = new URL(baseUrl).origin;
    this.id = id;
  }

  get key(): KeyObject {
    return this.#keys.privateKey;
  }

  get counter(): number {
    return this.#counter;
  }

  /** What `navigator.credentials.create()` would answer. */
  create(options: Options, forgery: Forgery = {}): Answered {
    const id = forgery.id ?? this.id;
    const { x = "", y = "" } = this.#keys.publicKey.export({ format: "jwk" });
    const cose = new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x, "base64url")],
      [-3, Buffer.from(y, "base64url")],
    ]);
    const credentialId = Buffer.from(id, "base64url");
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credentialId.length);
    const attested = Buffer.concat([Buffer.alloc(16), length, credentialId, cbor(cose)]);
    const authData = this.#authenticatorData(options, forgery, attested);
    const attestation = new Map<string, unknown>([
      ["fmt", "none"],
      ["attStmt", new Map()],
      ["authData", authData],
    ]);
    return this.#answer(id, {
      clientDataJSON: this.#clientData("webauthn.create", options, forgery).toString("base64url"),
      attestationObject: cbor(attestation).toString("base64url"),
      transports: ["internal"],
    });
  }

  /** What `navigator.credentials.get()` would answer. */
  get(options: Options, forgery: Forgery = {}): Answered {
    const clientData = this.#clientData("webauthn.get", options, forgery);
    const authData = this.#authenticatorData(options, forgery);
    const signed = Buffer.concat([authData, createHash("sha256").update(clientData).digest()]);
    const signature = sign("sha256", signed, forgery.key ?? this.key);
    if (forgery.breakSignature) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    return this.#answer(forgery.id ?? this.id, {
      clientDataJSON: clientData.toString("base64url"),
      authenticatorData: authData.toString("base64url"),
      signature: signature.toString("base64url"),
      ...(forgery.userHandle === undefined ? {} : { userHandle: forgery.userHandle }),
    });
  }

  #answer(id: string, response: Record<string, unknown>): Answered {
    return { id, rawId: id, type: "public-key", clientExtensionResults: {}, response };
  }

  #clientData(type: string, options: Options, forgery: Forgery): Buffer {
    const { challenge = options.challenge, origin = this.#origin, crossOrigin = false } = forgery;
    return Buffer.from(JSON.stringify({ type: forgery.type ?? type, challenge, origin, crossOrigin }));
  }

  #authenticatorData(options: Options, forgery: Forgery, attested?: Buffer): Buffer {
    const { userPresent = true, userVerified = true } = forgery;
    const rpId = forgery.rpId ?? options.rpId ?? options.rp?.id ?? new URL(this.#origin).hostname;
    this.#counter = forgery.counter ?? this.#counter + 1;
    const flags = (userPresent ? 0x01 : 0) | (userVerified ? 0x04 : 0) | (attested ? 0x40 : 0);
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.#counter);
    const hash = createHash("sha256").update(rpId).digest();
    return Buffer.concat([hash, Buffer.from([flags]), counter, attested ?? Buffer.alloc(0)]);
  }
}

/** The few kinds of CBOR that an attestation has: numbers, strings, bytes, maps. */
export function cbor(value: unknown): Buffer {
  if (typeof value === "number") return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === "string")
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (!(value instanceof Map)) throw new Error("An attestation has no such value.");
  return Buffer.concat([head(5, value.size), ...[...value].flat().map(cbor)]);
}

function head(major: number, size: number): Buffer {
  if (size < 24) return Buffer.from([(major << 5) | size]);
  if (size < 256) return Buffer.from([(major << 5) | 24, size]);
  return Buffer.from([(major << 5) | 25, size >> 8, size & 0xff]);
}
