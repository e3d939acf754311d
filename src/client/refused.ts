import { END_REASONS, OTHER_REASONS, type RefusalFacts, type SignedOut } from "../answers.ts";

type Facts = RefusalFacts & { detail?: string };

/** The server understood and said no. What it never is: a network that failed (see `Unreachable`). */
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

  /** Whether the session is over, or there was none; a wrong password while signing in has another code. */
  get isSignedOut(): boolean {
    return this.status === 401 && this.code === "signed_out";
  }

  get ending(): SignedOut {
    const { reason = "none", by, at } = this.facts;
    return { reason, ...(by && { by }), ...(at && { at }) };
  }
}

/** No answer came, or none of Latchkey's: offline, a broken network, a page of a proxy or of the app, a 5xx. */
export class Unreachable extends Error {
  override name = "Unreachable";
  /** The status of the answer; null if there was none. */
  readonly status: number | null;
  /** Whole seconds until another try makes sense, where a server that can't answer says so. */
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

/** Whether a value is a reason why nobody is signed in. Show and pass on nothing else: a reason is not free text. */
export function isReason(value: unknown): value is SignedOut["reason"] {
  return [...END_REASONS, ...OTHER_REASONS].some((reason) => reason === value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
