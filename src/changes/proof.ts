import type { Kysely } from "kysely";
import { LOGIN_METHOD_KINDS, PROOF_HOLDS } from "../answers.ts";
import { findAccount, usablePassword } from "../credentials/account.ts";
import { passwordTries, secondFactorTries } from "../credentials/limits/tries.ts";
import { methodsOf } from "../credentials/login-method-list.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { noteRecoveryCode } from "../credentials/recovery-codes.ts";
import {
  acceptSecondFactor,
  hasTwoFactor,
  readySecondFactor,
  type SecondFactor,
} from "../credentials/second-factor.ts";
import type { FoundSession, Write } from "../database/database.ts";
import { type Account, lockSession } from "../database/lock.ts";
import type { Schema } from "../database/schema.ts";
import { type Outcome, type Refusal, refuse, sessionHasEnded } from "../refusals.ts";
import { renewToken } from "../sessions/renew.ts";

/** The session of the request, as it was authenticated. Each request has its own copy. */
export type CurrentSession = FoundSession & {
  /** The hash of the request's device cookie; null if it has none. */
  readonly deviceHash: Uint8Array | null;
  /** Set if a proof in this request has renewed the session's token; the response carries it, errors too. */
  newToken: string | null;
};

/** A request from a signed-in person, with what is needed to handle it. */
export type Acting = { readonly parts: AccountParts; readonly current: CurrentSession; readonly now: number };

/**
 * The factors that a change needs if the account has 2FA on; without 2FA one factor is always enough. `one`:
 * any first factor. `both`: both factors. `both_now`: both, the second one in this request.
 */
export type Level = "one" | "both" | "both_now";

/** The factors that a request may contain. */
export type GivenFactors = SecondFactor & { currentPassword?: string | undefined };

/** The same, with whether the route takes `currentPassword` (`named`). */
export type Given = GivenFactors & { named: boolean };

/**
 * Requires a proof that it's still the owner who acts: the current password if the account has one and the
 * route takes it, else a proof from the last 10 minutes; and a second factor if the level says so. A factor
 * that is right counts even if the other one is wrong. Returns the account that was checked.
 */
export async function requireProof(
  acting: Acting,
  given: Given,
  level: Level,
): Promise<Outcome<{ account: Account }>> {
  const { parts, current } = acting;
  const account = await findAccount(parts.database, current.accountId);
  if (!account) return sessionHasEnded();
  if (given.named && account.password_hash !== null) {
    const first = await checkCurrentPassword(acting, account, given.currentPassword);
    if (!first.ok) return first;
  }
  const { read } = parts.database;
  const noFirst = await missingProof(acting, read, account, "one");
  if (noFirst) return noFirst;
  // Read after the account: if 2FA is turned on in between, the account has changed and `lockProved` refuses.
  if (await hasTwoFactor({ query: read }, account.id)) {
    const second = await checkSecondFactor(acting, account, { ...given, level });
    if (!second.ok) return second;
  }
  return (await missingProof(acting, read, account, level)) ?? { ok: true as const, account };
}

/** The refusal if this session's proofs aren't enough for a level; null if they are. */
export async function missingProof(
  { parts, current, now }: Acting,
  query: Kysely<Schema>,
  account: Account,
  level: Level,
): Promise<Refusal | null> {
  const needsBoth = level !== "one" && (await hasTwoFactor({ query }, account.id));
  const at = needsBoth ? current.bothProvedAt : current.provedAt;
  if (at !== null && now - at < PROOF_HOLDS) return null;
  return proofNeeded(await proofMethods(parts, query, account));
}

function proofNeeded(methods: string[]): Refusal {
  return refuse("proof_needed", "Confirm that it is you, then try again.", { methods });
}

/** How this account's owner can prove who they are: `password`, `passkey`, or `oidc:` and a provider. */
async function proofMethods(parts: AccountParts, query: Kysely<Schema>, account: Account): Promise<string[]> {
  const methods = await methodsOf(parts, query, account);
  // A password is good as proof even if it doesn't "work" because no reset could replace it.
  const hasPassword = usablePassword(account) !== null;
  const usable = methods.filter(({ kind, works }) => works || (kind === "password" && hasPassword));
  const inOrder = LOGIN_METHOD_KINDS.flatMap((kind) => usable.filter((method) => method.kind === kind));
  return [...new Set(inOrder.map(({ kind, provider }) => (provider ? `oidc:${provider}` : kind)))];
}

async function checkCurrentPassword(
  acting: Acting,
  account: Account,
  password: string | undefined,
): Promise<Outcome> {
  const { parts, current, now } = acting;
  if (password === undefined) {
    return refuse("invalid_input", "currentPassword is missing.", { field: "currentPassword" });
  }
  const name = `current:${account.id}`;
  const tries = await passwordTries(parts, { account, name, deviceHash: current.deviceHash });
  return parts.attempts.inTurn(tries.own, async () => {
    const tooMany = await tries.take(now);
    if (tooMany) return tooMany;
    const { right } = await parts.passwords.verify(password, usablePassword(account));
    if (!right) return refuse("wrong_password");
    const token = await parts.database.write(async (write) => {
      await tries.release(write);
      return renewOnce(write, current, { provedAt: now });
    });
    return noteRenewed(current, token, { provedAt: now });
  });
}

/** Without a code, earlier proofs still count, unless the level needs a code in this request. */
async function checkSecondFactor(
  acting: Acting,
  account: Account,
  given: SecondFactor & { level: Level },
): Promise<Outcome> {
  const { parts, current, now } = acting;
  if (given.code === undefined && given.recoveryCode === undefined)
    return given.level === "both_now" ? refuse("wrong_code", "Give a code of the app, too.") : { ok: true };
  const own = await secondFactorTries(parts, account.id, current.deviceHash);
  const tooMany = await parts.attempts.take([own], now);
  if (tooMany) return tooMany;
  const ready = await readySecondFactor(parts, account.id, given);
  // Dated by the first factor, the older of the two; otherwise codes alone could extend the proof for ever.
  const proved = { bothProvedAt: current.provedAt };
  const done = await parts.database.write(async (write) => {
    const locked = await lockProved(acting, write, account);
    if (!locked.ok) return locked;
    const accepted = await acceptSecondFactor(parts, write, account.id, ready, now);
    if (accepted === null) return refuse("wrong_code");
    await parts.attempts.release(write, own);
    const used = { account: locked.account, session: current };
    if (accepted === "recovery_code") await noteRecoveryCode(parts, write, used, now);
    return { ok: true as const, token: await renewOnce(write, current, proved) };
  });
  if (!done.ok) return done;
  return noteRenewed(current, done.token, proved);
}

type Proved = { provedAt?: number; bothProvedAt?: number };

/** Stores that the person has proved who they are, and gives the session a new token. */
export async function renewProved(
  acting: Acting,
  { bothFactors }: { bothFactors: boolean },
): Promise<Outcome> {
  const { parts, current, now } = acting;
  const proved = { provedAt: now, ...(bothFactors ? { bothProvedAt: now } : {}) };
  const token = await parts.database.write((write) => renewOnce(write, current, proved));
  return noteRenewed(current, token, proved);
}

/**
 * Gives the session a new token, at most one per request: even if a later step fails, the response can carry
 * it. Null if the session has ended meanwhile.
 */
export function renewOnce(write: Write, current: CurrentSession, proved: Proved): Promise<string | null> {
  return renewToken(write, current.id, proved, current.newToken ?? undefined);
}

/** Updates the request's copy of the session after the proof is committed. */
function noteRenewed(current: CurrentSession, token: string | null, proved: Proved): Outcome {
  if (token === null) return sessionHasEnded();
  Object.assign(current, { newToken: token, ...proved });
  return { ok: true };
}

/**
 * Locks the account for a change that has been proved. Refuses if, since the proof was checked, the current
 * session has ended or the credentials have changed. The latter counts as a wrong password if this request
 * has given a proof, else as a missing proof.
 */
export async function lockProved(
  { parts, current }: Acting,
  write: Write,
  proved: Account,
): Promise<Outcome<{ account: Account }>> {
  const locked = await lockSignedIn(write, current);
  if (!locked.ok || locked.account.credential_version === proved.credential_version) return locked;
  if (current.newToken !== null) return refuse("wrong_password");
  return proofNeeded(await proofMethods(parts, write.query, locked.account));
}

/** Locks the account; refuses if the current session has ended since the request began. */
export async function lockSignedIn(
  write: Write,
  current: CurrentSession,
): Promise<Outcome<{ account: Account }>> {
  const account = await lockSession(write, current.accountId, current.id);
  return account ? { ok: true, account } : sessionHasEnded();
}
