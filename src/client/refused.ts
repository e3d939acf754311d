import { END_REASONS, OTHER_REASONS, type RefusalFacts, type SignedOut } from "../answers.ts";

type Facts = RefusalFacts & { detail?: string };

/** The server refused the request. If there was no answer from it, `Unreachable` is thrown instead. */
export class Refused extends Error {
  override name = "Refused";
  readonly status: number;
  readonly code: string;
  readonly facts: Facts;

  constructor(status: number, code: string, facts: Facts = {}) {
    super(facts.detail ?? code);
    this.status = status;
    this.code = code;
    this.facts = facts;
  }

  /** Whether the session has ended, or there was none. A wrong password at a login has another code. */
  get isSignedOut(): boolean {
    return this.status === 401 && this.code === "signed_out";
  }

  get ending(): SignedOut {
    const { reason = "none", by, at } = this.facts;
    return { reason, ...(by && { by }), ...(at && { at }) };
  }
}

/** No answer, or not Latchkey's: offline, a broken network, a page of a proxy or the app, a 5xx. */
export class Unreachable extends Error {
  override name = "Unreachable";
  /** The status of the answer; null if there was none. */
  readonly status: number | null;
  /** Seconds until another try makes sense, if the answer says so (`Retry-After`). */
  readonly retryAfter: number | undefined;

  constructor(status: number | null, cause?: unknown, retryAfter?: number) {
    super(noAnswer(status), { cause });
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

function noAnswer(status: number | null): string {
  if (status === null) return "No answer";
  return status >= 500
    ? `Answer ${status}`
    : `Answer ${status}, which isn't Latchkey's. Is it at this base path?`;
}

export function isSignedOut(error: unknown): error is Refused {
  return error instanceof Refused && error.isSignedOut;
}

/** Reads a problem+json answer. */
export async function readRefusal(response: Response): Promise<Refused | Unreachable> {
  const body: unknown = await response.json().catch(() => null);
  const seconds = Number(response.headers.get("Retry-After"));
  const retryAfter = seconds > 0 ? Math.ceil(seconds) : undefined;
  if (response.status >= 500 || !isRecord(body) || typeof body.code !== "string") {
    return new Unreachable(response.status, undefined, retryAfter);
  }
  const facts: Facts = {};
  for (const name of ["detail", "by", "at", "field"] as const) {
    const value = body[name];
    if (typeof value === "string") facts[name] = value;
  }
  if (isReason(body.reason)) facts.reason = body.reason;
  if (Array.isArray(body.methods)) facts.methods = body.methods.filter((one) => typeof one === "string");
  if (retryAfter !== undefined) facts.retryAfter = retryAfter;
  return new Refused(response.status, body.code, facts);
}

/** Whether a value is a known reason for being signed out. Check a value with it before you show it. */
export function isReason(value: unknown): value is SignedOut["reason"] {
  return [...END_REASONS, ...OTHER_REASONS].some((reason) => reason === value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
