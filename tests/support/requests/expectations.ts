import { expect } from "vitest";
import { type Answer, header } from "./answers.ts";
import type { Client } from "./client.ts";

/**
 * A refusal is a complete problem+json: status, title, code, detail; never stored, and it touches no cookie.
 */
export function expectRefusal(answer: Answer, status: number, code: string): void {
  expectProblem(answer, status, code);
  expect(answer.setCookies).toEqual([]);
}

/** A refusal after a right proof: the same, except for the session's renewed cookie, and only that. */
export function expectRefusalAfterProof(answer: Answer, status: number, code: string): void {
  expectProblem(answer, status, code);
  expect(answer.setCookies).toEqual([expect.stringMatching(/^[\w-]*latchkey=lk1_[\w-]{43};/)]);
}

/** The same if a cookie may be touched. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.body, answer.text).toMatchObject({ status, code });
  expect(answer.status).toBe(status);
  expect(header(answer, "content-type")).toMatch(/^application\/problem\+json\b/);
  expect(header(answer, "cache-control")).toBe("no-store");
  expect(answer.body.title).toMatch(/\S/);
  expect(answer.body.detail).toMatch(/\S/);
}

/** The 401 that tells the holder of an ended token why. */
export async function expectSignedOut(client: Client, reason: string): Promise<Answer> {
  const answer = await client.get("/api/session");
  expectRefusal(answer, 401, "signed_out");
  expect(answer.body.reason).toBe(reason);
  return answer;
}

export async function expectSignedIn(client: Client): Promise<void> {
  const answer = await client.get("/api/session");
  expect(answer.status, answer.text).toBe(200);
}

/** 429, with when to try again. */
export function expectTooMany(answer: Answer): void {
  expectRefusal(answer, 429, "too_many_attempts");
  expect(header(answer, "retry-after")).toMatch(/^[1-9]\d*$/);
}

/** The same after a right proof. */
export function expectTooManyAfterProof(answer: Answer): void {
  expectRefusalAfterProof(answer, 429, "too_many_attempts");
  expect(header(answer, "retry-after")).toMatch(/^[1-9]\d*$/);
}

export function expectNoContent(answer: Answer): void {
  expect(answer.status, answer.text).toBe(204);
  expect(answer.text).toBe("");
}
