import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export type Facts = Record<string, unknown>;
export type Endpoint = "discovery" | "jwks" | "token" | "userinfo";

/** What one issuer of a lying provider does differently from an honest one. */
export type Lie = {
  metadata?: (metadata: Facts) => Facts;
  claims?: (claims: Facts) => Facts;
  header?: Facts;
  /** The signature over an ID token's first two parts. */
  sign?: (input: string) => Buffer;
  keys?: (keys: Facts[]) => Facts[];
  userinfo?: (facts: Facts) => Facts;
  back?: (url: URL) => void;
  /** Answers these calls itself. */
  answer?: Partial<Record<Endpoint, (response: ServerResponse, honest: Facts, trap: string) => void>>;
};

const keyPair = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const KEY = keyPair();
const OTHER_KEY = keyPair();
const EC_KEY = generateKeyPairSync("ec", { namedCurve: "P-256" });

export const CLIENT_ID = "latchkey";
export const CLIENT_SECRET = "a-secret-of-the-test-of-32-letters";

const rs256 = (key: KeyObject) => (input: string) => sign("sha256", Buffer.from(input), key);
const hs256 = (key: string | Buffer) => (input: string) => createHmac("sha256", key).update(input).digest();

export const signatures = {
  right: rs256(KEY.privateKey),
  wrongKey: rs256(OTHER_KEY.privateKey),
  none: () => Buffer.alloc(0),
  clientSecret: hs256(CLIENT_SECRET),
  publicKey: hs256(createPublicKey(KEY.privateKey).export({ type: "spki", format: "pem" })),
  es256: (input: string) =>
    sign("sha256", Buffer.from(input), { key: EC_KEY.privateKey, dsaEncoding: "ieee-p1363" }),
};

export const jwk = (key: KeyObject, facts: Facts): Facts => ({
  ...key.export({ format: "jwk" }),
  use: "sig",
  ...facts,
});
export const otherJwk = (facts: Facts) => jwk(OTHER_KEY.publicKey, facts);
export const ecJwk = (facts: Facts) => jwk(EC_KEY.publicKey, facts);

/**
 * An OpenID provider on loopback with one issuer per lie, and a trap for anyone who follows where it leads.
 */
export class LyingProvider {
  readonly trapped: string[] = [];
  readonly #lies: Record<string, Lie>;
  readonly #nonces = new Map<string, string>();
  readonly #server: Server;
  #origin = "";

  static async start(lies: Record<string, Lie>): Promise<LyingProvider> {
    const provider = new LyingProvider(lies);
    provider.#server.listen(0, "127.0.0.1");
    await once(provider.#server, "listening");
    const address = provider.#server.address();
    provider.#origin = `http://localhost:${typeof address === "object" && address ? address.port : 0}`;
    return provider;
  }

  private constructor(lies: Record<string, Lie>) {
    this.#lies = lies;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  issuer(name: string): string {
    return `${this.#origin}/${name}`;
  }

  /** Where the browser is sent back to, once its person has signed in with this issuer. */
  back(authorizationUrl: string, name: string): string {
    const asked = new URL(authorizationUrl).searchParams;
    const code = randomUUID();
    this.#nonces.set(code, asked.get("nonce") ?? "");
    const url = new URL(asked.get("redirect_uri") ?? "");
    url.searchParams.set("code", code);
    url.searchParams.set("state", asked.get("state") ?? "");
    this.#lies[name]?.back?.(url);
    return url.href;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = "", ...rest] = (request.url ?? "").split("?")[0]?.split("/") ?? [];
    let body = "";
    for await (const chunk of request) body += chunk;
    if (name === "trap") this.trapped.push(request.url ?? "");
    const code = new URLSearchParams(body).get("code") ?? "";
    const endpoint = rest.at(-1) === "openid-configuration" ? "discovery" : (rest.at(-1) as Endpoint);
    const honest = this.#honest(endpoint, name, code);
    const trap = `${this.#origin.replace("localhost", "127.0.0.1")}/trap/${name}/${endpoint}`;
    const own = this.#lies[name]?.answer?.[endpoint];
    if (own) own(response, honest, trap);
    else sendJson(response, honest);
  }

  #honest(endpoint: Endpoint, name: string, code: string): Facts {
    const lie = this.#lies[name] ?? {};
    const issuer = this.issuer(name);
    if (endpoint === "discovery") {
      const metadata = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        userinfo_endpoint: `${issuer}/userinfo`,
        id_token_signing_alg_values_supported: ["RS256"],
      };
      return lie.metadata?.(metadata) ?? metadata;
    }
    if (endpoint === "jwks") {
      const keys = [jwk(KEY.publicKey, { kid: "one", alg: "RS256" })];
      return { keys: lie.keys?.(keys) ?? keys };
    }
    const facts = { sub: `someone-${name}`, email: `someone.${name}@example.test`, email_verified: true };
    if (endpoint === "userinfo") return lie.userinfo?.(facts) ?? facts;
    return { access_token: "an-access-token", token_type: "Bearer", id_token: this.#idToken(name, code) };
  }

  #idToken(name: string, code: string): string {
    const lie = this.#lies[name] ?? {};
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: this.issuer(name),
      aud: CLIENT_ID,
      sub: `someone-${name}`,
      email: `someone.${name}@example.test`,
      email_verified: true,
      iat: now,
      auth_time: now,
      exp: now + 300,
      nonce: this.#nonces.get(code),
    };
    const header = { alg: "RS256", kid: "one", ...lie.header };
    const parts = [header, lie.claims?.(claims) ?? claims];
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${input}.${(lie.sign ?? signatures.right)(input).toString("base64url")}`;
  }
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}
