import type { LoginMethodKind } from "../answers.ts";
import { BINDING, type FoundSession, findSessions, type Write } from "../database/database.ts";
import { record } from "../history/activity.ts";
import { device as deviceActor } from "../history/actor.ts";
import { challengeUntil, isBindable } from "./binding/bindable.ts";
import { checkDevice } from "./binding/check.ts";
import { webView } from "./device-label/browser.ts";
import type { Device } from "./device-label/device-label.ts";
import { endBecauseOf } from "./endings.ts";
import { overAt } from "./expiry.ts";
import { rememberDevice } from "./known-device.ts";
import type { SessionParts } from "./parts.ts";
import { hashToken, makeId, makeSecret, makeToken } from "./token.ts";

/** How many live sessions an account may have; a sign-in beyond that ends the least recently used. */
export const MOST_SESSIONS = 100;

/** How a sign-in was completed: its login method, and whether both factors were proved. */
export type PassedFactors = { signedInWith: LoginMethodKind; methodId: string; bothFactors: boolean };

/** What the request of a sign-in says about its browser. */
export type ClientInfo = {
  device: Device;
  /** The device cookie's value; it opens nothing. */
  deviceToken: string;
  /** Session tokens that the request carried: a live one ends with this sign-in. */
  tokens: readonly string[];
  /** Bound cookies that came with the tokens; without one, a bound session's token may be a stolen copy. */
  boundTokens: readonly string[];
  /** Whether the browser sent the device cookie. One made for this request is known to no account. */
  isReturning: boolean;
  network: Network;
};

/** The network under which the limits on attempts count a request. */
export type Network = {
  of: string;
  /** Whether many visitors may share it. Limits are then ten times as high, and known browsers exempt. */
  generous: boolean;
};

export type Started = {
  token: string;
  /** As it was started; another sign-in may have replaced it by now. */
  session: FoundSession;
  /** The challenge to sign with the key that binds the session; null if sessions aren't bound. */
  bindingChallenge: string | null;
  /** This account has used other browsers before, but never this one. */
  fromNewDevice: boolean;
};

/**
 * Starts a session, once the last factor has passed and the caller has locked the account. Ends the sessions
 * that it replaces: the account's session with the same replacement key, the session of the cookie that came
 * with the request, and the least recently used ones if the account has too many. A unique index on account
 * and replacement key guarantees that no account has two sessions with the same key.
 */
export async function startSession(
  { parts, clientInfo, now }: { parts: SessionParts; clientInfo: ClientInfo; now: number },
  write: Write,
  passed: PassedFactors & { accountId: string },
): Promise<Started> {
  const { accountId } = passed;
  const { device } = clientInfo;
  const deviceHash = hashToken(clientInfo.deviceToken);
  const isByDevice = parts.settings.sessionScope === "device";
  const replacementKey = isByDevice
    ? `device:${Buffer.from(deviceHash).toString("hex")}`
    : replacementKeyOf(device);
  const doer = { by: deviceActor(device.label), at: now };
  const whyOver = overAt(parts, now);
  await endOldCookies(parts, write, accountId, clientInfo, now);
  if (replacementKey !== null)
    await endBecauseOf(write, "signed_in_again", { accountId, replacementKey }, doer, whyOver);

  const token = makeToken();
  const sessionId = makeId();
  const bindingChallenge = isBindable(parts.settings) ? makeSecret() : null;
  await write.query
    .insertInto("session")
    .values({
      token_hash: hashToken(token),
      id: sessionId,
      account_id: accountId,
      browser: device.browser,
      os: device.os,
      label: device.label,
      created_at: now,
      expires_at: now + parts.settings.sessionLifetime,
      last_used_at: now,
      signed_in_with: passed.signedInWith,
      method_id: passed.methodId,
      proved_at: now,
      both_proved_at: passed.bothFactors ? now : null,
      replacement_key: replacementKey,
      device_hash: deviceHash,
      challenge: bindingChallenge,
      challenge_until: bindingChallenge === null ? null : challengeUntil(parts.settings, now),
    })
    .execute();
  const surplus = { accountId, exceptIds: [sessionId], most: MOST_SESSIONS - 1 };
  await endBecauseOf(write, "too_many_sessions", surplus, doer, whyOver);
  await record(write, { accountId, kind: "signed_in", at: now, label: device.label });
  write.announce(accountId);
  const session = await findSessions(write.query)
    .where("session.id", "=", sessionId)
    .executeTakeFirstOrThrow();
  const fromNewDevice = await rememberDevice(write, accountId, deviceHash, now);
  return { token, session, bindingChallenge, fromNewDevice };
}

/**
 * A sign-in replaces the account's session with the same key: the one from the same browser and system,
 * whatever their versions (S12). Null if nothing is to be replaced: the browser or the system is unknown, or
 * the browser is a WebView, a name that many apps share.
 */
export function replacementKeyOf({ browser, os }: Device): string | null {
  return browser === null || os === null || browser === webView ? null : `${browser}|${os}`;
}

/**
 * A sign-in that comes with a live session's cookie ends that session, which nobody could reach any more. But
 * the cookie of a bound session without its proof may be a stolen copy: a sign-in to another account doesn't
 * end it.
 */
async function endOldCookies(
  parts: SessionParts,
  write: Write,
  accountId: string,
  { tokens, boundTokens, device }: ClientInfo,
  now: number,
): Promise<void> {
  if (tokens.length === 0) return;
  const doer = { by: deviceActor(device.label), at: now };
  const whyOver = overAt(parts, now);
  const unproved: Uint8Array[] = [];
  const others: Uint8Array[] = [];
  const rows = await write.query
    .selectFrom("session")
    .select([...BINDING, "token_hash as tokenHash"])
    .where("token_hash", "in", tokens.map(hashToken))
    .execute();
  for (const row of rows) {
    const isUnproved = checkDevice(parts.settings, row, () => boundTokens, now) === "missing";
    (isUnproved ? unproved : others).push(row.tokenHash);
  }
  if (unproved.length > 0)
    await endBecauseOf(write, "signed_in_without_proof", { accountId, tokenHashes: unproved }, doer, whyOver);
  if (others.length === 0) return;
  await endBecauseOf(write, "signed_in_over_cookie", { accountId, tokenHashes: others }, doer, whyOver);
  await endBecauseOf(
    write,
    "other_account_signed_in",
    { tokenHashes: others },
    { by: null, at: now },
    whyOver,
  );
}
