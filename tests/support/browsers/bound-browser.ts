import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type Answer, header } from "../requests/answers.ts";
import type { Client } from "../requests/client.ts";
import type { Headers } from "../requests/exchange.ts";
import { type Person, signUp } from "../requests/people.ts";
import type { TestServer } from "../servers/server.ts";

export const REGISTRATION = "/api/session/device-binding";
export const REFRESH = `${REGISTRATION}/refresh`;
export const BOUND = "__Host-latchkey-bound";

export type Algorithm = "ES256" | "RS256";
type Pair = { algorithm: Algorithm; privateKey: KeyObject; jwk: object };

export function makeKey(algorithm: Algorithm = "ES256"): Pair {
  const { privateKey, publicKey } =
    algorithm === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { algorithm, privateKey, jwk: publicKey.export({ format: "jwk" }) };
}

type Jwt = { header?: object; payload?: object; key: Pair };

/** A proof with these parts in place of the usual ones; `undefined` leaves one out. */
export function makeProof(challenge: string, { key, header: other, payload }: Jwt): string {
  const head = encode({ typ: "dbsc+jwt", alg: key.algorithm, ...other });
  const signed = `${head}.${encode({ jti: challenge, ...payload })}`;
  const dsaEncoding = "ieee-p1363" as const; // RSA has no curve and ignores it
  return `${signed}.${sign("sha256", Buffer.from(signed), { key: key.privateKey, dsaEncoding }).toString("base64url")}`;
}

/** The part of a browser that binds sessions, apart from its cookies: a key that never leaves it, and the next challenge. */
export class BoundBrowser {
  readonly client: Client;
  readonly key: Pair;
  challenge = "";
  sessionId = "";

  constructor(client: Client, algorithm: Algorithm = "ES256") {
    this.client = client;
    this.key = makeKey(algorithm);
  }

  /** Accepts the offer in a sign-in's answer. */
  async register(signedIn: Answer, more: Headers = {}): Promise<Answer> {
    const { path, challenge } = offer(signedIn);
    const proof = makeProof(challenge, { key: this.key, header: { jwk: this.key.jwk } });
    return this.take(await this.send(path, { ...more, "Secure-Session-Response": `"${proof}"` }));
  }

  /** Asks for the next bound cookie; signs again if the challenge was stale. */
  async refresh(): Promise<Answer> {
    const answer = await this.refreshOnce();
    return answer.status === 403 ? this.refreshOnce() : answer;
  }

  async refreshOnce(proof: string | null = this.proof()): Promise<Answer> {
    const response = proof === null ? {} : { "Secure-Session-Response": `"${proof}"` };
    return this.take(
      await this.send(REFRESH, { "Sec-Secure-Session-Id": `"${this.sessionId}"`, ...response }),
    );
  }

  /** A proof for the challenge that the browser has; none if it has none. */
  proof(challenge = this.challenge): string | null {
    return challenge === "" ? null : makeProof(challenge, { key: this.key });
  }

  /** As the browser itself sends it: no page's origin, no body. */
  send(path: string, headers: Headers): Promise<Answer> {
    return this.client.send("POST", path, { headers: { "Sec-Fetch-Site": "cross-site", ...headers } });
  }

  /** The bound cookie has expired by the browser's clock. */
  dropCookie(): void {
    this.client.jar.delete(BOUND);
  }

  private take(answer: Answer): Answer {
    const [, challenge, id] =
      /^"([^"]+)";id="([^"]+)"$/.exec(header(answer, "secure-session-challenge")) ?? [];
    if (challenge !== undefined) this.challenge = challenge;
    if (id !== undefined) this.sessionId = id;
    return answer;
  }
}

/**
 * Where a sign-in's answer asks for a key to be registered, and what has to be signed. @throws if it offers
 * nothing.
 */
export function offer(signedIn: Answer): { path: string; challenge: string } {
  const [, path, challenge] =
    /;path="([^"]+)";challenge="([^"]+)"/.exec(header(signedIn, "secure-session-registration")) ?? [];
  if (path === undefined || challenge === undefined) throw new Error("Nothing was offered.");
  // The client prepends the path where Latchkey is mounted by itself.
  return { path: path.slice(path.indexOf(REGISTRATION)), challenge };
}

export function offeredChallenge(signedIn: Answer): string {
  return offer(signedIn).challenge;
}

/** Someone with a new account whose browser has bound the session and sent its bound cookie. */
export async function signUpBound(
  server: Pick<TestServer, "client">,
  algorithm: Algorithm = "ES256",
): Promise<Person & { browser: BoundBrowser }> {
  const person = await signUp(server);
  const { browser } = await signInBound(person, person.client, algorithm);
  return { ...person, browser };
}

/** Signs in with a browser that binds the session, and sends its bound cookie once. */
export async function signInBound(
  { email, password }: Pick<Person, "email" | "password">,
  client: Client,
  algorithm: Algorithm = "ES256",
): Promise<{ browser: BoundBrowser; signedIn: Answer }> {
  const signedIn = await client.post("/api/session", { email, password });
  const browser = new BoundBrowser(client, algorithm);
  const registered = await browser.register(signedIn);
  if (registered.status !== 200) throw new Error(`Not registered: ${registered.status} ${registered.text}`);
  await client.get("/api/session");
  return { browser, signedIn };
}

/** Another browser with all the cookies that this one has now. */
export function copyOf(server: Pick<TestServer, "client">, { jar }: Client, names = jar.names()): Client {
  const copy = server.client();
  for (const name of names) copy.jar.set(name, jar.get(name) ?? "");
  return copy;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
