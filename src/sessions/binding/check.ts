import { copiedToken } from "../../database/copied-token.ts";
import type { FoundBinding } from "../../database/database.ts";
import { hashToken } from "../token.ts";
import { type BindingSettings, isBindable, ON_THE_WAY } from "./bindable.ts";

/**
 * What the bound cookies of a request say of a session: it isn't bound; it is bound and proved; its browser
 * shows for the first time that it has what binds it; the proof is missing.
 */
export type DeviceProof = "not_bound" | "proved" | "first_proof" | "missing";

/**
 * Whether a request comes from the device that its session is bound to. Until a browser has shown its bound
 * cookie once, nothing is asked of it: the answer to its registration may never have arrived.
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

/** The bound cookie that came with a session last: one that is remembered gets the same at every check. */
const shownLast = new WeakMap<FoundBinding, { token: string; hash: Uint8Array }>();

function hashOf(session: FoundBinding, token: string): Uint8Array {
  const last = shownLast.get(session);
  if (last?.token === token) return last.hash;
  const hash = hashToken(token);
  shownLast.set(session, { token: copiedToken(token), hash });
  return hash;
}

/** Whether a bound cookie of this hash is good: the last one, or the one before for as long as it would have been. */
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

/** Whether the browser may have dropped its cookie this very moment: then a request without it need not be a copy's. */
export function isJustDropped({ boundUntil }: FoundBinding, now: number): boolean {
  const left = (boundUntil ?? 0) - now;
  return left >= 0 && left <= ON_THE_WAY;
}
