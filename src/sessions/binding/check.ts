import { copiedToken } from "../../database/copied-token.ts";
import type { FoundBinding } from "../../database/database.ts";
import { hashToken } from "../token.ts";
import { type BindingSettings, isBindable, ON_THE_WAY } from "./bindable.ts";

/**
 * What a request's bound cookies say about a session: it isn't bound; it is bound, and its device is proved;
 * the browser sends its bound cookie for the first time; or the proof is missing.
 */
export type DeviceProof = "not_bound" | "proved" | "first_proof" | "missing";

/**
 * Whether a request comes from the device that its session is bound to. Until a browser has sent its bound
 * cookie once, the cookie isn't required: the answer to its registration may never have arrived.
 */
export function checkDevice(
  settings: BindingSettings,
  session: FoundBinding,
  boundTokens: () => readonly string[],
  now: number,
): DeviceProof {
  if (session.boundHash === null || !isBindable(settings)) return "not_bound";
  const proved = boundTokens().some((token) => isGood(session, hashOf(session, token), now));
  if (session.boundAt === null) return proved ? "first_proof" : "not_bound";
  return proved ? "proved" : "missing";
}

/** The last bound cookie seen with a cached session, and its hash: usually the same one comes again. */
const shownLast = new WeakMap<FoundBinding, { token: string; hash: Uint8Array }>();

function hashOf(session: FoundBinding, token: string): Uint8Array {
  const last = shownLast.get(session);
  if (last?.token === token) return last.hash;
  const hash = hashToken(token);
  shownLast.set(session, { token: copiedToken(token), hash });
  return hash;
}

/** Whether a bound cookie with this hash is valid: the current one, or the previous until its expiry. */
function isGood(session: FoundBinding, hash: Uint8Array, now: number): boolean {
  const { boundHash, boundUntil, formerBoundHash, formerBoundUntil } = session;
  return (
    (isSame(boundHash, hash) && now < (boundUntil ?? 0)) ||
    (isSame(formerBoundHash, hash) && now < (formerBoundUntil ?? 0))
  );
}

export function isSame(one: Uint8Array | null, other: Uint8Array): boolean {
  return one !== null && Buffer.compare(one, other) === 0;
}

/** Whether the browser may just have dropped its bound cookie; without it, this needn't be a stolen copy. */
export function isJustDropped({ boundUntil }: FoundBinding, now: number): boolean {
  const left = (boundUntil ?? 0) - now;
  return left >= 0 && left <= ON_THE_WAY;
}
