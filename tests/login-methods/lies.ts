import type { ServerResponse } from "node:http";
import {
  CLIENT_ID,
  type Endpoint,
  ecJwk,
  type Facts,
  type Lie,
  otherJwk,
  sendJson,
  signatures,
} from "../support/login-methods/lying-provider.ts";

const WEEK = 7 * 86_400;
const MEGABYTE = 1024 * 1024;

const without = (name: string) => (facts: Facts) =>
  Object.fromEntries(Object.entries(facts).filter(([one]) => one !== name));
const withFacts = (more: Facts) => (facts: Facts) => ({ ...facts, ...more });
const later = (name: string, seconds: number) => (facts: Facts) => ({
  ...facts,
  [name]: Number(facts[name]) + seconds,
});
const says = (more: Facts): Lie => ({ claims: withFacts(more) });
const lists = (alg: string): Lie => ({
  metadata: withFacts({ id_token_signing_alg_values_supported: [alg, "RS256"] }),
});

/** In an ID token. */
const tokenLies: Record<string, Lie> = {
  "iss-of-another": says({ iss: "https://login.example.com" }),
  "iss-missing": { claims: without("iss") },
  "iss-with-a-slash": { claims: (claims) => ({ ...claims, iss: `${claims.iss}/` }) },
  "aud-of-another": says({ aud: "another" }),
  "aud-second-without-azp": says({ aud: [CLIENT_ID, "another"] }),
  "aud-second-is-azp": says({ aud: [CLIENT_ID, "another"], azp: "another" }),
  "aud-missing": { claims: without("aud") },
  "sub-missing": { claims: without("sub") },
  "sub-empty": says({ sub: "" }),
  "sub-with-nul": says({ sub: "some\0one" }),
  "sub-long": says({ sub: "s".repeat(256) }),
  "sub-number": says({ sub: 7 }),
  "iat-missing": { claims: without("iat") },
  "iat-a-week-ago": { claims: later("iat", -WEEK) },
  "iat-a-year-ahead": { claims: later("iat", 52 * WEEK) },
  "iat-text": says({ iat: "now" }),
  "exp-missing": { claims: without("exp") },
  "exp-past": { claims: later("exp", -3_600) },
  "nbf-future": { claims: (claims) => ({ ...claims, nbf: Number(claims.iat) + 3_600 }) },
  "nonce-wrong": says({ nonce: "another" }),
  "nonce-missing": { claims: without("nonce") },
  "key-wrong": { sign: signatures.wrongKey },
  "alg-none": { header: { alg: "none" }, sign: signatures.none },
  "alg-none-listed": { ...lists("none"), header: { alg: "none" }, sign: signatures.none },
  "alg-rs256-unsigned": { sign: signatures.none },
  "alg-hs256-client-secret": { header: { alg: "HS256" }, sign: signatures.clientSecret },
  "alg-hs256-listed": { ...lists("HS256"), header: { alg: "HS256" }, sign: signatures.clientSecret },
  "alg-hs256-public-key": { ...lists("HS256"), header: { alg: "HS256" }, sign: signatures.publicKey },
  "alg-es256-unlisted": {
    header: { alg: "ES256" },
    sign: signatures.es256,
    keys: () => [ecJwk({ kid: "one" })],
  },
  "kid-unknown": { header: { kid: "two" } },
  "kid-absent-many-keys": {
    header: { kid: undefined },
    keys: (keys) => [...keys.map(without("kid")), otherJwk({})],
  },
  "keys-huge": {
    keys: (keys) => [...keys, ...Array.from({ length: 4_000 }, (_, at) => otherJwk({ kid: `${at}` }))],
  },
  "keys-none": { keys: () => [] },
  "keys-for-encryption": { keys: (keys) => keys.map(withFacts({ use: "enc" })) },
};

/** In discovery, in the callback, and at the userinfo endpoint. */
const otherLies: Record<string, Lie> = {
  "discovery-issuer": { metadata: withFacts({ issuer: "https://login.example.com" }) },
  "discovery-no-authorization": { metadata: without("authorization_endpoint") },
  "discovery-no-token": { metadata: without("token_endpoint") },
  "discovery-no-keys": { metadata: without("jwks_uri") },
  "authorization-javascript": { metadata: withFacts({ authorization_endpoint: "javascript:alert(1)" }) },
  "authorization-no-url": { metadata: withFacts({ authorization_endpoint: "over there" }) },
  "authorization-number": { metadata: withFacts({ authorization_endpoint: 7 }) },
  "response-iss-wrong": { back: (url) => url.searchParams.set("iss", "https://login.example.com") },
  "response-iss-removed": {
    metadata: withFacts({ authorization_response_iss_parameter_supported: true }),
  },
  "response-code-twice": { back: (url) => url.searchParams.append("code", "another") },
  "response-error": {
    back: (url) => {
      url.searchParams.set("error", "<script>");
      url.searchParams.set("error_description", "a".repeat(3_000));
    },
  },
  "response-id-token-in-front": { back: (url) => url.searchParams.set("id_token", "a.b.c") },
  "userinfo-other-sub": { claims: without("email"), userinfo: withFacts({ sub: "another" }) },
  "userinfo-no-sub": { claims: without("email"), userinfo: without("sub") },
};

type Answer = (response: ServerResponse, honest: Facts, trap: string) => void;

const answers: Record<string, Answer> = {
  "500": (response) => sendJson(response, { error: "server_error" }, 500),
  redirect: (response, _honest, trap) => response.writeHead(302, { Location: trap }).end(),
  "no-json": (response) =>
    response.writeHead(200, { "Content-Type": "application/json" }).end("<h1>Hello</h1>"),
  null: (response) => sendJson(response, null),
  list: (response) => sendJson(response, []),
  hangs: () => {},
  "hangs-midway": (response) =>
    response.writeHead(200, { "Content-Type": "application/json" }).write('{"keys":'),
  "breaks-off": (response) =>
    response
      .writeHead(200, { "Content-Type": "application/json", "Content-Length": 1_000 })
      .write("{", () => response.destroy()),
};

const ENDPOINTS: Endpoint[] = ["discovery", "jwks", "token", "userinfo"];

/** Every wrong answer at every endpoint; userinfo is asked if the ID token has no email. */
const answerLies = Object.fromEntries(
  ENDPOINTS.flatMap((endpoint) =>
    Object.entries(answers).map(([name, answer]): [string, Lie] => [
      `${endpoint}-${name}`,
      {
        answer: { [endpoint]: answer },
        ...(endpoint === "userinfo" ? { claims: without("email") } : {}),
      },
    ]),
  ),
);

/** None of them may sign anyone in. */
export const lies: Record<string, Lie> = { ...tokenLies, ...otherLies, ...answerLies };

/** Lies about the state: the authorization request isn't found. */
export const stateLies: Record<string, Lie> = {
  "state-missing": { back: (url) => url.searchParams.delete("state") },
  "state-wrong": { back: (url) => url.searchParams.set("state", "another") },
  "state-twice": {
    back: (url) => {
      const own = url.searchParams.get("state") ?? "";
      url.searchParams.set("state", "another");
      url.searchParams.append("state", own);
    },
  },
};

export const honest: Record<string, Lie> = {
  honest: {},
  "honest-one-key-without-kid": { header: { kid: undefined }, keys: (keys) => keys.map(without("kid")) },
  "honest-many-audiences": says({ aud: [CLIENT_ID, "another"], azp: CLIENT_ID }),
  "honest-userinfo": { claims: without("email") },
};

/** Sends 50 MB as long as anyone reads; `sent` is how much went out before the other end hung up. */
export function flood(): { answer: Answer; sent: () => number } {
  let sent = 0;
  const chunk = Buffer.alloc(64 * 1024, " ");
  return {
    sent: () => sent,
    answer(response) {
      response.writeHead(200, { "Content-Type": "application/json" });
      const more = () => {
        while (sent < 50 * MEGABYTE && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", more);
        }
        if (!response.destroyed) response.end("{}");
      };
      more();
    },
  };
}
