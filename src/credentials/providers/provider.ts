import * as client from "openid-client";
import { isIssuerOf, issuerKey, issuerVariable, type OidcProvider } from "../../options/oidc.ts";
import { type ClientSecret, createClientSecret } from "./client-secret.ts";

/** Who someone is at a provider. Only the boolean `true` counts as `emailVerified`, not the string. */
export type ProviderIdentity = {
  issuer: string;
  subject: string;
  email: string | null;
  emailVerified: boolean;
  /** How they signed in there (RFC 8176), if the provider says so. */
  amr: string[];
};

/** `state` ties an authorization to the browser, `nonce` to the ID token, `verifier` (PKCE) to the code. */
export type AuthorizationRequest = { state: string; nonce: string; verifier: string; fresh: boolean };

/** The provider gave a wrong answer, or none; the cause is for the log, never for the page. */
export class ProviderFailed extends Error {
  override name = "ProviderFailed";
}

export type Provider = ReturnType<typeof createProvider>;

const TIMEOUT_SECONDS = 5;
const LARGEST_ANSWER = 1024 * 1024;
const LONGEST_ADDRESS = 200;
/**
 * How far an ID token's times (issued, not before, expired, and that of the sign-in) may be off: the token
 * comes straight from the provider, so only a difference between the clocks has to be allowed for.
 */
const CLOCKS_DIFFER_SECONDS = 10 * 60;
/** The standard allows 255 characters; some databases reject some control characters. */
const SUBJECT = /^[^\p{Cc}]{1,255}$/u;

export function newAuthorizationRequest(fresh: boolean): AuthorizationRequest {
  return {
    state: client.randomState(),
    nonce: client.randomNonce(),
    verifier: client.randomPKCECodeVerifier(),
    fresh,
  };
}

/** A provider from the settings. Its metadata is fetched at its first use, and again if that failed. */
export function createProvider(settings: OidcProvider, redirectUri: string) {
  let configured: Promise<client.Configuration> | undefined;
  const secret = createClientSecret(settings.clientSecret);
  const configuration = () => {
    configured ??= configure(settings, secret).catch((error: unknown) => {
      configured = undefined;
      throw new ProviderFailed("The provider could not be reached.", { cause: error });
    });
    return configured;
  };
  const isGitHub = settings.kind === "github";
  return {
    settings,
    async authorizationUrl({ state, nonce, verifier, fresh }: AuthorizationRequest): Promise<URL> {
      const config = await configuration();
      const parameters = {
        redirect_uri: redirectUri,
        scope: isGitHub ? "read:user user:email" : "openid email",
        state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        ...(isGitHub ? {} : { nonce }),
        ...(fresh ? freshness(config, isGitHub) : {}),
      };
      try {
        return client.buildAuthorizationUrl(config, parameters);
      } catch (error) {
        throw new ProviderFailed("The provider names no page to sign in at.", { cause: error });
      }
    },
    /** @throws ProviderFailed for anything but a valid answer to this authorization. */
    async identify(answer: URL, authorization: AuthorizationRequest): Promise<ProviderIdentity> {
      const config = await configuration();
      try {
        return await (isGitHub
          ? identifyAtGitHub(config, settings, answer, authorization)
          : identifyByIdToken(config, secret, answer, authorization));
      } catch (error) {
        throw new ProviderFailed("The provider's answer was not right.", { cause: error });
      }
    },
  };
}

/**
 * Parameters that ask for a fresh sign-in. A provider that doesn't say when the person signed in, like Google
 * or GitHub, is at least asked to show its page, where the person must choose an account.
 */
function freshness(config: client.Configuration, isGitHub: boolean): Record<string, string> {
  return {
    ...(isGitHub ? {} : { max_age: "0" }),
    ...(tellsWhen(config) ? {} : { prompt: "select_account" }),
  };
}

/** Whether this provider's ID tokens, by its metadata, say when the person signed in (`auth_time`). */
function tellsWhen(config: client.Configuration): boolean {
  const { claims_supported: claims, jwks_uri: keys } = config.serverMetadata();
  return keys !== undefined && (claims === undefined || claims.includes("auth_time"));
}

async function configure(settings: OidcProvider, secret: ClientSecret): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = settings;
  const isInsecure = issuer.startsWith("http:");
  if (settings.kind === "github") {
    const server = {
      // The issuer that GitHub names in its redirect (RFC 9207), if it names one.
      issuer: `${issuer}/login/oauth`,
      authorization_endpoint: `${issuer}/login/oauth/authorize`,
      token_endpoint: `${issuer}/login/oauth/access_token`,
    };
    const config = new client.Configuration(server, clientId, clientSecret);
    config.timeout = TIMEOUT_SECONDS;
    config[client.customFetch] = boundedFetch;
    if (isInsecure) client.allowInsecureRequests(config);
    return config;
  }
  // Also checks the ID token's signature. By the standard TLS alone would be enough; here it isn't.
  const execute = [client.enableNonRepudiationChecks, ...(isInsecure ? [client.allowInsecureRequests] : [])];
  const options = { execute, timeout: TIMEOUT_SECONDS, [client.customFetch]: boundedFetch };
  const metadata = { [client.clockTolerance]: CLOCKS_DIFFER_SECONDS };
  const found = new URL(issuer);
  found.pathname = `${issuerKey(found.pathname)}/.well-known/openid-configuration`;
  const config = await client.discovery(found, clientId, metadata, secret.authenticate, options);
  refuseOtherIssuer(settings, config.serverMetadata().issuer);
  return config;
}

/** The library checks ID tokens against the metadata's issuer, which must be the one in the settings. */
function refuseOtherIssuer(settings: OidcProvider, said: string): void {
  if (isIssuerOf(settings, said)) return;
  const shown = said.slice(0, LONGEST_ADDRESS);
  throw new Error(`It calls itself ${shown}: ${issuerVariable(settings.id)} takes exactly that.`);
}

async function identifyByIdToken(
  config: client.Configuration,
  secret: ClientSecret,
  answer: URL,
  authorization: AuthorizationRequest,
): Promise<ProviderIdentity> {
  const checks = {
    expectedState: authorization.state,
    expectedNonce: authorization.nonce,
    pkceCodeVerifier: authorization.verifier,
    idTokenExpected: true,
    ...(authorization.fresh && tellsWhen(config) ? { maxAge: 0 } : {}),
  };
  const tokens = await secret.inEitherPlace(() => client.authorizationCodeGrant(config, answer, checks));
  const claims = tokens.claims();
  if (!claims) throw new Error("The provider sent no ID token.");
  if (!SUBJECT.test(claims.sub)) throw new Error("The provider sent no usable subject.");
  if (Math.abs(claims.iat - Date.now() / 1_000) > CLOCKS_DIFFER_SECONDS)
    throw new Error("The ID token is too old, or from the future.");
  const { auth_time: signedInAt } = claims;
  if (
    authorization.fresh &&
    signedInAt !== undefined &&
    Date.now() / 1_000 - signedInAt > CLOCKS_DIFFER_SECONDS
  )
    throw new Error("The sign-in at the provider is too old.");
  const hasUserInfo = config.serverMetadata().userinfo_endpoint !== undefined;
  const more =
    claims.email === undefined && hasUserInfo
      ? await client.fetchUserInfo(config, tokens.access_token, claims.sub)
      : claims;
  const { email, email_verified: verified } = more;
  const amr = Array.isArray(claims.amr)
    ? claims.amr.filter((one): one is string => typeof one === "string")
    : [];
  return {
    issuer: issuerKey(claims.iss),
    subject: claims.sub,
    email: typeof email === "string" ? email : null,
    emailVerified: verified === true,
    amr,
  };
}

/** GitHub supports only OAuth 2: identity and email come from its API, not from an ID token. */
async function identifyAtGitHub(
  config: client.Configuration,
  { issuer }: OidcProvider,
  answer: URL,
  authorization: AuthorizationRequest,
): Promise<ProviderIdentity> {
  const checks = { expectedState: authorization.state, pkceCodeVerifier: authorization.verifier };
  const { access_token: token } = await client.authorizationCodeGrant(config, answer, checks);
  const api = githubApi(issuer);
  const ask = async (path: string, mayRefuse = false): Promise<unknown> => {
    const headers = new Headers({ accept: "application/vnd.github+json", "user-agent": "latchkey" });
    const response = await client.fetchProtectedResource(
      config,
      token,
      new URL(api + path),
      "GET",
      null,
      headers,
    );
    if (mayRefuse && [403, 404].includes(response.status)) return null;
    if (response.status !== 200) throw new Error(`GitHub answered ${response.status} to ${path}.`);
    return response.json();
  };
  const user = (await ask("/user")) as { id?: unknown };
  if (!Number.isSafeInteger(user.id)) throw new Error("GitHub sent no user id.");
  const emails = (await ask("/user/emails", true)) as GitHubEmail[];
  const primary = Array.isArray(emails) ? emails.find((one) => one.primary === true) : undefined;
  return {
    issuer,
    subject: String(user.id),
    email: typeof primary?.email === "string" ? primary.email : null,
    emailVerified: primary?.verified === true,
    amr: [],
  };
}

type GitHubEmail = { email?: unknown; primary?: unknown; verified?: unknown };

/** github.com and GitHub's regions (ghe.com) have an API host; a self-hosted server has a path. */
function githubApi(issuer: string): string {
  const { hostname } = new URL(issuer);
  const hasOwnHost = hostname === "github.com" || hostname.endsWith(".ghe.com");
  return hasOwnHost ? `https://api.${hostname}` : `${issuer}/api/v3`;
}

/** Limits the size of an answer, so that a provider can't fill the memory. */
const boundedFetch: client.CustomFetch = async (url, options) => {
  const response = await fetch(url, { ...options, redirect: "manual" } as RequestInit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error("The provider's answer is too large.");
    chunks.push(chunk);
  }
  const { status, statusText, headers } = response;
  return new Response(chunks.length > 0 ? Buffer.concat(chunks) : null, { status, statusText, headers });
};
