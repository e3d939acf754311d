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

/** Whether a route needs a live session, takes one where there is one, or doesn't ask for it. */
export type SessionNeed = "required" | "optional" | "none";

/**
 * Who sends a request, by the tokens in its cookie; or why nobody is signed in. The one way from a request to
 * its session, for the API, pages, proxies and apps in code. Every request counts as use of its session, except
 * the page's own refreshes and where the route says otherwise.
 * @throws DatabaseUnavailable where the database doesn't answer; that is not "signed out".
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

/** What has to be written before the request goes on; undefined, as for most, where nothing has. */
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

/** Where that fails, the next request tries again; this one is let in anyway. */
async function confirm(parts: HttpParts, session: FoundSession, now: number): Promise<void> {
  await confirmBinding(parts, session, now).catch((error: unknown) => {
    parts.log.error({ err: error }, "A session's binding could not be noted.");
  });
}

/** Tells the owner of a copy, unless it may be the browser itself, which has dropped its cookie or says why it has none. */
function noteCopy(
  parts: HttpParts,
  session: FoundSession,
  headers: RequestHead["headers"],
  now: number,
): void {
  if (isJustDropped(session, now) || saysSkipped(headers, session.id)) return;
  parts.copyNotices.tell(parts, session, readDevice(headers).label, now);
}

/** Answers a request as the person who sends it, with the session's new cookie where it has one. */
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
    // The old token opens nothing any more: a failure carries the new one, too.
    if (who.newToken === null) throw error;
    return handOver(call, who, errorResponse(call.parts, error, call.request));
  }
}

/** A bound cookie that no longer proves anything goes, so that the browser gets a new one; the session's own stays. */
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

  /** The session as this request acts with it: a copy, since what was looked up is remembered. */
  get current(): CurrentSession {
    this.#current ??= { ...this.session, deviceHash: this.#deviceHash(), newToken: null };
    return this.#current;
  }

  #deviceHash(): Uint8Array | null {
    const token = this.#call.parts.cookies.deviceToken(cookieHeader(this.#call));
    return token === null ? null : hashToken(token);
  }

  /** Set where a proof in this request renewed the session's token. */
  get newToken(): string | null {
    return this.#current?.newToken ?? null;
  }
}

/**
 * A renewed token goes along whatever the answer is. A browser that was let in by another system's cookie
 * gets Latchkey's own, and sends that one from then on. Nothing is written for it: until an answer arrives,
 * the old cookie stays right, on every node and for requests that are sent at once; and a refusal touches no cookie.
 */
function handOver(call: Call, who: Identity, response: Response): Response {
  const { cookies } = call.parts;
  const isImported = response.status < 400 && cookies.isImported(cookieHeader(call));
  const token = who.newToken ?? (isImported ? who.token : null);
  if (token === null || isSet(response, cookies.sessionName)) return response;
  response.headers.append("Set-Cookie", cookies.setSession(token, who.session.expiresAt, call.now));
  return response;
}

/** Whether the answer already sets or clears this cookie. */
function isSet({ headers }: Response, name: string): boolean {
  return headers.getSetCookie().some((cookie) => cookie.startsWith(`${name}=`));
}

/** The refusal of a request that nobody is signed in for, or whose session isn't let in. */
export function notSignedIn(why: SignedOut): Refusal {
  const { reason } = why;
  if (reason === "device_proof_needed")
    return refuse(reason, "This browser has not proved that it is on the session's device.", why);
  if (reason === "two_factor_needed")
    return refuse(reason, "Set up two-factor authentication, and log in with it.", why);
  return refuse("signed_out", "You are not signed in.", why);
}
