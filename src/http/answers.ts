import type { Account, Session, SignedIn } from "../answers.ts";
import type { FoundSession } from "../database/database.ts";
import { type Refusal, refusals } from "../refusals.ts";
import type { ListedSession } from "../sessions/list.ts";

const built = new WeakMap<FoundSession, SignedIn>();

/** The answer that says who is signed in; built once for each remembered session. */
export function signedInAnswer(session: FoundSession): SignedIn {
  const known = built.get(session);
  if (known) return known;
  const made = Object.freeze({
    account: Object.freeze(accountAnswer(session)),
    session: Object.freeze(sessionAnswer(session, session.id)),
  });
  built.set(session, made);
  return made;
}

export function accountAnswer(session: FoundSession): Account {
  return {
    id: session.accountId,
    email: session.email,
    emailVerified: session.emailVerifiedAt !== null,
    twoFactor: session.twoFactorAt !== null,
    createdAt: iso(session.accountCreatedAt),
  };
}

export function sessionAnswer(
  session: ListedSession,
  currentId: string,
  lastUsedAt = session.lastUsedAt,
): Session {
  return {
    id: session.id,
    label: session.label,
    browser: session.browser,
    os: session.os,
    createdAt: iso(session.createdAt),
    lastUsedAt: iso(lastUsedAt),
    expiresAt: iso(session.expiresAt),
    current: session.id === currentId,
    signedInWith: session.signedInWith,
    ...(session.boundAt === null ? {} : { bound: true }),
  };
}

export const iso = (ms: number): string => new Date(ms).toISOString();

const NO_STORE = { "Cache-Control": "no-store" };

export function json(status: number, body: unknown, cookies: readonly string[] = []): Response {
  return withCookies(Response.json(body, { status, headers: NO_STORE }), cookies);
}

/** A response whose text is already JSON. */
export function jsonText(text: string): Response {
  return new Response(text, { headers: { ...NO_STORE, "Content-Type": "application/json" } });
}

export function noContent(cookies: readonly string[] = []): Response {
  return withCookies(new Response(null, { status: 204, headers: NO_STORE }), cookies);
}

export function redirect(location: string, cookies: readonly string[] = [], status = 302): Response {
  return withCookies(new Response(null, { status, headers: { ...NO_STORE, Location: location } }), cookies);
}

export function withHeaders(response: Response, headers: Readonly<Record<string, string>> = {}): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
  return response;
}

/** A refusal as `application/problem+json` (RFC 9457). */
export function problem(refusal: Refusal): Response {
  const { status, title } = refusals[refusal.code];
  const { retryAfter, status: otherStatus, ...facts } = refusal.facts;
  const body = { status: otherStatus ?? status, title, code: refusal.code, detail: refusal.detail, ...facts };
  const headers = new Headers({ ...NO_STORE, "Content-Type": "application/problem+json" });
  if (retryAfter !== undefined) headers.set("Retry-After", String(retryAfter));
  return new Response(JSON.stringify(body), { status: body.status, headers });
}
