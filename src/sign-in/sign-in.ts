import { findAccountByEmail } from "../credentials/account.ts";
import { readEmailAddress } from "../credentials/email-address.ts";
import { makeNotMeLink } from "../credentials/emailed-links.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { hasTwoFactor } from "../credentials/second-factor.ts";
import type { Letter } from "../credentials/send-emails.ts";
import { about, post } from "../credentials/send-emails.ts";
import { passwordTries } from "../credentials/tries.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { holdAccount } from "../database/lock.ts";
import type { SignedInWith } from "../database/schema.ts";
import { recordFolded } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import type { Started, Visitor } from "../sessions/start.ts";
import { startSession } from "../sessions/start.ts";
import { hashToken, makeSecret } from "../sessions/token.ts";

/** How long a second factor may take, in ms. */
export const HALF_FINISHED_LIVES = 10 * 60_000;

/** A sign-in is done, or waits for the second factor: then `token` opens nothing but that step. */
export type SignedIn = Outcome<{ started: Started } | { halfFinished: { token: string; expiresAt: number } }>;

/** A password change that races this sign-in moves the version; then all is judged anew, so often. */
const TRIES = 3;

/**
 * Signs in with a password. An unknown address costs the same time and gets the same answer as a wrong
 * password. Whatever ends with it (S12) ends only once every factor has passed.
 */
export async function signIn(
  parts: AccountParts,
  asked: { email: string; password: string },
  visitor: Visitor,
  now: number,
): Promise<SignedIn> {
  const address = readEmailAddress(asked.email);
  const account = address ? await findAccountByEmail(parts.database, address.key) : undefined;
  const tries = await passwordTries(parts, {
    account,
    name: address?.key ?? asked.email,
    deviceHash: visitor.isReturning ? hashToken(visitor.deviceToken) : null,
    network: { kind: "password_network", ...visitor.network },
  });
  const refused = await tries.refusal(now);
  if (refused) return refused;
  return parts.attempts.inTurn(tries.own, async () => {
    const tooMany = await tries.take(now);
    if (tooMany) return tooMany;
    const passed = (write: Write) => tries.release(write);
    return judge(parts, account, { password: asked.password, passed }, visitor, now);
  });
}

async function judge(
  parts: AccountParts,
  account: Account | undefined,
  attempt: { password: string; passed: (write: Write) => Promise<void> },
  visitor: Visitor,
  now: number,
  tries = TRIES,
): Promise<SignedIn> {
  const { password, passed } = attempt;
  const usable = account?.password_blocked_at === null ? account.password_hash : null;
  const { right, outdated } = await parts.passwords.verify(password, usable);
  if (!account || !right) {
    if (account) await noteFailure(parts, account, visitor, now);
    return refuse("wrong_credentials");
  }
  const better = outdated ? { from: usable, to: await parts.passwords.hash(password) } : null;
  const sign = { signedInWith: "password", methodId: "password" } as const;
  const done = await passFirstFactor(parts, account, sign, visitor, now, async (write) => {
    const update = write.query.updateTable("account").where("id", "=", account.id);
    await update.set({ password_used_at: now }).execute();
    if (better) {
      await update.set({ password_hash: better.to }).where("password_hash", "=", better.from).execute();
    }
    await passed(write);
    return true;
  });
  if (done !== "changed_meanwhile") return done;
  const fresh = await findAccountByEmail(parts.database, account.email_key);
  return tries > 1 ? judge(parts, fresh, attempt, visitor, now, tries - 1) : refuse("wrong_credentials");
}

/**
 * What follows a first factor of any kind: the second one, where it is on and the first doesn't count as
 * both; else the session. Refuses to build on credentials that have changed since they were judged. `use`
 * notes that the method was used, with the account held; it says false where the method is gone by then.
 */
export async function passFirstFactor(
  parts: AccountParts,
  account: Account,
  sign: { signedInWith: SignedInWith; methodId: string; bothFactors?: boolean },
  visitor: Visitor,
  now: number,
  use: (write: Write) => Promise<boolean>,
): Promise<SignedIn | "changed_meanwhile"> {
  const { signedInWith, methodId, bothFactors = false } = sign;
  const done = await parts.database.write(async (write) => {
    const held = await holdAccount(write, account.id);
    if (held?.credential_version !== account.credential_version) return "changed_meanwhile" as const;
    if (!(await use(write))) return "changed_meanwhile" as const;
    if (!bothFactors && (await hasTwoFactor(write, held.id))) {
      const halfFinished = await leaveHalfFinished(write, held, { signedInWith, methodId }, now);
      return { ok: true as const, halfFinished };
    }
    if (held.suspended_at !== null) return refuse("account_suspended");
    return finishSignIn(parts, write, held, { signedInWith, methodId, bothFactors }, visitor, now);
  });
  if (done !== "changed_meanwhile" && done.ok && "letters" in done) post(parts, done.letters);
  return done;
}

/** The last step of every sign-in, with the account held: the session, and a mail where the browser is new to it. */
export async function finishSignIn(
  parts: AccountParts,
  write: Write,
  account: Account,
  sign: { signedInWith: SignedInWith; methodId: string; bothFactors: boolean },
  visitor: Visitor,
  now: number,
): Promise<{ ok: true; started: Started; letters: Letter[] }> {
  const started = await startSession(parts, write, { accountId: account.id, visitor, ...sign }, now);
  if (!started.fromNewDevice) return { ok: true, started, letters: [] };
  const notMeLink = await makeNotMeLink(parts, write, account, started.session.id, now);
  const { label } = visitor.device;
  const message = messages.newSignIn({
    ...about(parts, account.email, now, label),
    device: label,
    notMeLink,
  });
  return { ok: true, started, letters: [{ to: account.email, message }] };
}

async function leaveHalfFinished(
  write: Write,
  account: Account,
  sign: { signedInWith: SignedInWith; methodId: string },
  now: number,
): Promise<{ token: string; expiresAt: number }> {
  const token = makeSecret();
  const expiresAt = now + HALF_FINISHED_LIVES;
  await write.query
    .insertInto("half_finished_sign_in")
    .values({
      token_hash: hashToken(token),
      account_id: account.id,
      credential_version: account.credential_version,
      signed_in_with: sign.signedInWith,
      method_id: sign.methodId,
      wrong_codes: 0,
      expires_at: expiresAt,
    })
    .execute();
  return { token, expiresAt };
}

async function noteFailure(
  parts: AccountParts,
  account: Account,
  visitor: Visitor,
  now: number,
): Promise<void> {
  const { label } = visitor.device;
  await parts.database.write(async (write) => {
    if (!(await holdAccount(write, account.id))) return;
    await recordFolded(write, { accountId: account.id, kind: "sign_in_failed", at: now, label });
  });
}
