import type { IncomingHttpHeaders } from "node:http";
import type { Account, ActivityEvent, LoginMethod, Session } from "../../../src/answers.ts";

export type { Account, ActivityEvent, LoginMethod, Session } from "../../../src/answers.ts";

/**
 * Every field that any answer has. A body that isn't a JSON object counts as an empty one; `text` has it as
 * it came.
 */
export type Body = {
  account?: Account;
  session?: Session;
  sessions?: Session[];
  methods?: LoginMethod[];
  needed?: string[];
  events?: ActivityEvent[];
  ended?: number;
  secret?: string;
  uri?: string;
  recoveryCodes?: string[];
  twoFactor?: { methods: string[]; expiresAt: string };
  status?: number;
  title?: string;
  code?: string;
  detail?: string;
  reason?: string;
  by?: string;
  at?: string;
  field?: string;
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly setCookies: readonly string[];
  readonly text: string;
  readonly body: Body;
};

/** A part of an answer that the test can't go on without. */
export function need<K extends keyof Body>(answer: Answer, key: K): NonNullable<Body[K]> {
  const value = answer.body[key];
  if (value === undefined) throw new Error(`The answer has no ${key}: ${answer.status} ${answer.text}`);
  return value as NonNullable<Body[K]>;
}

/** One header as a string; empty if it is missing. */
export function header(answer: Answer, name: string): string {
  const value = answer.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(", ") : (value ?? "");
}
