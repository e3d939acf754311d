import type { SignedOut } from "../answers.ts";
import type { CurrentSession } from "../changes/proof.ts";
import type { FoundSession } from "../database/database.ts";
import { type Refusal, refuse } from "../refusals.ts";
import { type Authenticated, authenticate } from "../sessions/authenticate.ts";
import { isJustDropped } from "../sessions/binding/check.ts";
import { confirmBinding } from "../sessions/binding/register.ts";
import { readDevice } from "../sessions/device-label/device-label.ts";
import { hashToken } from "../sessions/token.ts";
import { type Call, cookieHeader, type HttpParts } from "./call.ts";
import { errorResponse } from "./errors.ts";
import { saysSkipped } from "./request/binding-fields.ts";
import type { RequestHead } from "./request/request-head.ts";

/** Whether a route needs a live session, uses one if there is one, or ignores sessions. */
export type SessionNeed = "required" | "optional" | "none";

/**
 * Says who sent a request, by the tokens in its cookie, or why nobody is signed in. It is the only way from a
 * request to its session, for the API, pages, proxies and apps. Every request counts as use of its session,
 * except the page's own refreshes, and unless the route says otherwise.
 * @throws DatabaseUnavailable if the database doesn't answer; that doesn't mean "signed out".
 */
export async function identify(
  parts: HttpParts,
  headers: RequestHead["headers"],
  now: number,
  isUse = true,
): Promise<Authenticated | SignedOut> {
  const cookies = headers.get("cookie");
  const boundTokens = () => parts.cookies.boundTokens(cookies);
  const answer = await authenticate(parts, { tokens: parts.cookies.tokens(cookies), boundTokens }, now);
  if ("session" in answer) {
    const pending = letIn(parts, answer, now, isUse && headers.get(BACKGROUND) !== "1");
    if (pending) await pending;
    return answer;
  }
  if (!("unproved" in answer)) return answer;
  noteCopy(parts, answer.unproved, headers, now);
  return PROOF_NEEDED;
}

/** The header of the page's own refreshes, which don't count as use of the session. */
const BACKGROUND = "latchkey-background";

/** Writes that must finish before the request goes on; undefined if there are none, as for most requests. */
function letIn(
  parts: HttpParts,
  { session, isFirstProof }: Authenticated,
  now: number,
  isUse: boolean,
): Promise<unknown> | undefined {
  const confirmed = isFirstProof ? confirm(parts, session, now) : undefined;
  const used = isUse ? parts.lastUsed.touch(session.id, session.lastUsedAt, now) : undefined;
  return confirmed || used ? Promise.all([confirmed, used]) : undefined;
}

const PROOF_NEEDED: SignedOut = { reason: "device_proof_needed" };

/** If this fails, the request is let in anyway, and the next one tries again. */
async function confirm(parts: HttpParts, session: FoundSession, now: number): Promise<void> {
  await confirmBinding(parts, session, now).catch((error: unknown) => {
    parts.log.error({ err: error }, "A session's binding could not be noted.");
  });
}

/**
 * Tells the owner that a copy was used, unless the real browser may have sent the request: it may have just
 * dropped its bound cookie, or it says that it deliberately sent none.
 */
function noteCopy(
  parts: HttpParts,
  session: FoundSession,
  headers: RequestHead["headers"],
  now: number,
): void {
  if (isJustDropped(session, now) || saysSkipped(headers, session.id)) return;
  parts.copyNotices.tell(parts, session, readDevice(headers).label, now);
}

/** Answers a request on behalf of its sender, and adds the session's new cookie if there is one. */
export async function answerAs(
  call: Call,
  { session, isUse }: { session: SessionNeed; isUse?: boolean },
  answer: (who: Identity | SignedOut) => Response | Promise<Response>,
): Promise<Response> {
  if (session === "none") return answer(NOT_ASKED);
  const found = await identify(call.parts, call.request.headers, call.now, isUse);
  if (!("session" in found))
    return withoutStaleCookie(call.parts, call.request.headers, found, await answer(found));
  const who = new Identity(call, found);
  try {
    return handOver(call, who, await answer(who));
  } catch (error) {
    // The old token is no longer valid, so an error response must carry the new one, too.
    if (who.newToken === null) throw error;
    return handOver(call, who, errorResponse(call.parts, error, call.request));
  }
}

/**
 * Clears a bound cookie that is no longer valid, so that the browser fetches a new one; keeps the session
 * cookie.
 */
export function withoutStaleCookie(
  { cookies }: HttpParts,
  headers: RequestHead["headers"],
  { reason }: SignedOut,
  response: Response,
): Response {
  const isStale = reason === "device_proof_needed" && cookies.boundTokens(headers.get("cookie")).length > 0;
  if (isStale && !isSet(response, cookies.boundName))
    response.headers.append("Set-Cookie", cookies.clearBound());
  return response;
}

const NOT_ASKED: SignedOut = { reason: "none" };

/** The live session of a request. */
export class Identity {
  readonly session: FoundSession;
  readonly token: string;
  readonly #call: Call;
  #current: CurrentSession | null = null;

  constructor(call: Call, { session, token }: Pick<Authenticated, "session" | "token">) {
    this.session = session;
    this.token = token;
    this.#call = call;
  }

  /** The session as this request may change it: a copy, since the found session is remembered and shared. */
  get current(): CurrentSession {
    this.#current ??= { ...this.session, deviceHash: this.#deviceHash(), newToken: null };
    return this.#current;
  }

  #deviceHash(): Uint8Array | null {
    const token = this.#call.parts.cookies.deviceToken(cookieHeader(this.#call));
    return token === null ? null : hashToken(token);
  }

  /** Set if a proof in this request renewed the session's token. */
  get newToken(): string | null {
    return this.#current?.newToken ?? null;
  }
}

/**
 * Adds a renewed token to any response. A browser that was let in by another system's cookie gets Latchkey's
 * own cookie, and sends that one from then on. That writes nothing to the database: until a response arrives,
 * the old cookie stays valid, on every node and for concurrent requests. A refusal doesn't exchange the
 * cookie.
 */
function handOver(call: Call, who: Identity, response: Response): Response {
  const { cookies } = call.parts;
  const isImported = response.status < 400 && cookies.isImported(cookieHeader(call));
  const token = who.newToken ?? (isImported ? who.token : null);
  if (token === null || isSet(response, cookies.sessionName)) return response;
  response.headers.append("Set-Cookie", cookies.setSession(token, who.session.expiresAt, call.now));
  return response;
}

/** Whether the response already sets or clears this cookie. */
function isSet({ headers }: Response, name: string): boolean {
  return headers.getSetCookie().some((cookie) => cookie.startsWith(`${name}=`));
}

/** The refusal of a request that isn't signed in, or whose session isn't let in. */
export function notSignedIn(why: SignedOut): Refusal {
  const { reason } = why;
  if (reason === "device_proof_needed")
    return refuse(reason, "This browser has not proved that it is on the session's device.", why);
  if (reason === "two_factor_needed")
    return refuse(reason, "Set up two-factor authentication, and log in with it.", why);
  return refuse("signed_out", "You are not signed in.", why);
}
