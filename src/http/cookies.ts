import type { Settings } from "../options/options.ts";
import { ON_THE_WAY } from "../sessions/binding/bindable.ts";
import { REASON_KEPT } from "../sessions/expiry.ts";
import { looksLikeOldToken, looksLikeToken, tokenForOld } from "../sessions/token.ts";

const DEVICE_MAX_AGE = 400 * 86_400;
const SIGN_IN_MAX_AGE = 600;
/**
 * Longer than a ceremony: a person who comes back late from a provider still gets to where they were going.
 */
const CEREMONY_MAX_AGE = 3_600;
/**
 * How much of a Cookie header is read, in characters, as many as Node allows for all headers: under 300
 * tokens.
 */
const MOST_READ = 16 * 1024;
/** More than a browser's cookies yield: it keeps at most 180 a site, each of which is read in two ways. */
const MOST_OLD_TOKENS = 400;
const SECRET_SHAPE = /^[A-Za-z0-9_-]{43}$/;

type CookieSettings = Pick<Settings, "baseUrl" | "cookieDomain" | "cookieName">;

/** Reads and writes Latchkey's cookies, under the names that follow from the settings. */
export type Cookies = ReturnType<typeof createCookies>;

/**
 * Names start with `__Host-` on https, so that no sibling domain can plant a cookie; on http they are plain.
 * The session cookie outlives its session by 7 days: the server decides expiry, and can still tell the device
 * why.
 */
export function createCookies(
  settings: CookieSettings & Pick<Settings, "importedCookie">,
  hmac: (text: string) => Buffer,
) {
  const { cookieDomain: domain, importedCookie } = settings;
  const { secure } = settings.baseUrl;
  const { sessionName, signInName, deviceName, ceremonyName, boundName } = namesOf(settings);
  const common = `; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
  const shared = domain === null ? common : `${common}; Domain=${domain}`;

  const ownTokens = (header: string | null) => {
    const tokens = valuesOf(header, sessionName).filter(looksLikeToken);
    return tokens.length > 1 ? [...new Set(tokens)] : tokens;
  };
  const importedTokens = (header: string | null) => {
    if (importedCookie === null) return [];
    const tokens = new Set(valuesOf(header, importedCookie).flatMap(tokensInOld).filter(looksLikeOldToken));
    return [...tokens].slice(0, MOST_OLD_TOKENS).map((token) => tokenForOld(token, hmac));
  };

  return {
    sessionName,
    /**
     * Every well-formed session token in a Cookie header: a browser may send a planted or stale one beside
     * the right one. If there is none, the tokens for another system's cookie, if the settings name it.
     */
    tokens(header: string | null): string[] {
      const own = ownTokens(header);
      return own.length > 0 ? own : importedTokens(header);
    },
    /** Whether the tokens of this header come from another system's cookie. */
    isImported: (header: string | null) => importedCookie !== null && ownTokens(header).length === 0,
    setSession(token: string, expiresAt: number, now: number): string {
      const maxAge = Math.ceil((expiresAt - now + REASON_KEPT) / 1_000);
      return `${sessionName}=${token}; Max-Age=${maxAge}${shared}`;
    },
    clearSession: () => `${sessionName}=; Max-Age=0${shared}`,

    /**
     * The short-lived cookie that a bound session also needs, and its attributes in the form that browsers
     * compare.
     */
    boundName,
    boundAttributes: common.slice(2),
    boundTokens: (header: string | null) => secretsIn(header, boundName),
    /** `lifetime` is how long the server accepts the cookie, in ms; the browser drops it a little earlier. */
    setBound: (token: string, lifetime: number) =>
      `${boundName}=${token}; Max-Age=${Math.floor((lifetime - ON_THE_WAY) / 1_000)}${common}`,
    clearBound: () => `${boundName}=; Max-Age=0${common}`,

    /** The token of a pending sign-in. */
    signInToken: (header: string | null) => secretsIn(header, signInName)[0] ?? null,
    setSignIn: (token: string) => `${signInName}=${token}; Max-Age=${SIGN_IN_MAX_AGE}${common}`,
    clearSignIn: () => `${signInName}=; Max-Age=0${common}`,

    deviceToken: (header: string | null) => secretsIn(header, deviceName)[0] ?? null,
    setDevice: (token: string) => `${deviceName}=${token}; Max-Age=${DEVICE_MAX_AGE}${common}`,

    /** The secret that binds a passkey challenge, or a sign-in at a provider, to this browser. */
    ceremonyToken: (header: string | null) => secretsIn(header, ceremonyName)[0] ?? null,
    setCeremony: (token: string) => `${ceremonyName}=${token}; Max-Age=${CEREMONY_MAX_AGE}${common}`,
  };
}

function namesOf({ baseUrl, cookieDomain, cookieName: name }: CookieSettings) {
  const host = baseUrl.secure ? "__Host-" : "";
  const shared = baseUrl.secure ? "__Secure-" : "";
  return {
    sessionName: `${cookieDomain === null ? host : shared}${name}`,
    signInName: `${host}${name}-sign-in`,
    deviceName: `${host}${name}-device`,
    ceremonyName: `${host}${name}-ceremony`,
    boundName: `${host}${name}-bound`,
  };
}

function secretsIn(header: string | null, name: string): string[] {
  return valuesOf(header, name).filter((value) => SECRET_SHAPE.test(value));
}

/** Other systems' cookies hold the token itself, or the token, a dot and a signature; perhaps URL-encoded. */
function tokensInOld(value: string): string[] {
  const text = /%[0-9a-f]{2}/i.test(value) ? decode(value) : value;
  const dot = text.lastIndexOf(".");
  return dot > 0 ? [text.slice(0, dot), text] : [text];
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Reads the header in one pass, without splitting it, since every check runs this. */
function valuesOf(header: string | null, name: string): string[] {
  const values: string[] = [];
  if (!header) return values;
  const text = header.length > MOST_READ ? header.slice(0, MOST_READ) : header;
  const start = `${name}=`;
  for (let at = text.indexOf(start); at !== -1; ) {
    const from = at + start.length;
    if (beginsPair(text, at)) values.push(valueAt(text, from));
    at = text.indexOf(start, from);
  }
  return values;
}

function valueAt(text: string, from: number): string {
  const semicolon = text.indexOf(";", from);
  return text.slice(from, semicolon === -1 ? text.length : semicolon).trimEnd();
}

/** Whether a cookie's name begins here, with only blanks between it and the last semicolon. */
function beginsPair(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (text[before] === " " || text[before] === "\t")) before -= 1;
  return before < 0 || text[before] === ";";
}
