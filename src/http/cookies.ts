import type { Settings } from "../options.ts";
import { REASON_KEPT } from "../sessions/expiry.ts";
import { looksLikeToken } from "../sessions/token.ts";

const DEVICE_MAX_AGE = 400 * 86_400;
const SIGN_IN_MAX_AGE = 600;
const SECRET_SHAPE = /^[A-Za-z0-9_-]{43}$/;

/** How Latchkey's cookies are named and written; decided once, by the base URL. */
export type Cookies = {
  readonly sessionName: string;
  /** Every well-formed session token in a Cookie header: a browser may send a planted or stale one beside the right one. */
  tokens(header: string | null): string[];
  /** The token of a half-finished sign-in. */
  signInToken(header: string | null): string | null;
  deviceToken(header: string | null): string | null;
  /** The secret that binds a passkey challenge or a round to a provider to this browser. */
  ceremonyToken(header: string | null): string | null;
  setSession(token: string, expiresAt: number, now: number): string;
  clearSession(): string;
  setSignIn(token: string): string;
  clearSignIn(): string;
  setDevice(token: string): string;
  setCeremony(token: string): string;
};

/**
 * `__Host-` names on https, so that no sibling domain can plant one; plain names on http. The session
 * cookie outlives its session by 7 days: the server decides expiry, and the device can still be told why.
 */
export function createCookies(settings: Pick<Settings, "baseUrl" | "cookieDomain">): Cookies {
  const { secure } = settings.baseUrl;
  const domain = settings.cookieDomain;
  const host = secure ? "__Host-" : "";
  const sessionName = `${domain === null ? host : secure ? "__Secure-" : ""}latchkey`;
  const signInName = `${host}latchkey-sign-in`;
  const deviceName = `${host}latchkey-device`;
  const ceremonyName = `${host}latchkey-ceremony`;
  const common = `; Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
  const shared = domain === null ? common : `${common}; Domain=${domain}`;

  return {
    sessionName,
    tokens: (header) => [...new Set(valuesOf(header, sessionName).filter(looksLikeToken))].slice(0, 4),
    signInToken: (header) => valuesOf(header, signInName).find((value) => SECRET_SHAPE.test(value)) ?? null,
    ceremonyToken: (header) =>
      valuesOf(header, ceremonyName).find((value) => SECRET_SHAPE.test(value)) ?? null,
    setCeremony: (token) => `${ceremonyName}=${token}; Max-Age=${SIGN_IN_MAX_AGE}${common}`,
    deviceToken: (header) => valuesOf(header, deviceName).find((value) => SECRET_SHAPE.test(value)) ?? null,
    setSession(token, expiresAt, now) {
      const maxAge = Math.ceil((expiresAt - now + REASON_KEPT) / 1_000);
      return `${sessionName}=${token}; Max-Age=${maxAge}${shared}`;
    },
    clearSession: () => `${sessionName}=; Max-Age=0${shared}`,
    setSignIn: (token) => `${signInName}=${token}; Max-Age=${SIGN_IN_MAX_AGE}${common}`,
    clearSignIn: () => `${signInName}=; Max-Age=0${common}`,
    setDevice: (token) => `${deviceName}=${token}; Max-Age=${DEVICE_MAX_AGE}${common}`,
  };
}

function valuesOf(header: string | null, name: string): string[] {
  if (!header) return [];
  const start = `${name}=`;
  return header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}
