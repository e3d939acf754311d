import { findAccountByEmail, usablePassword } from "../credentials/account.ts";
import { readEmailAddress } from "../credentials/email-address.ts";
import { passwordTries, type Tries } from "../credentials/limits/tries.ts";
import type { Visit } from "../credentials/parts.ts";
import { hasTwoFactor } from "../credentials/second-factor.ts";
import { writeNotice } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import { type Account, lockAccount } from "../database/lock.ts";
import { recordFolded } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, ofAccount, refuse } from "../refusals.ts";
import { type PassedFactors, type Started, startSession } from "../sessions/start.ts";
import { hashToken, makeSecret } from "../sessions/token.ts";

/** How long a person has to give the second factor, in ms. */
const PENDING_SIGN_IN_LIFETIME = 10 * 60_000;

/** The sign-in is done, or waits for the second factor; `token` is good for that step only. */
export type SignInResult = Outcome<
  { started: Started } | { pendingSignIn: { token: string; expiresAt: number } }
>;

/** How often a password is checked again if the credentials change during the sign-in. */
const ROUNDS = 3;

/** An id that no account has. */
const NOBODY = "";

/**
 * Signs in with a password. An unknown address takes as long and gets the same answer as a wrong password.
 * The sessions that a sign-in replaces (S12) end only once every factor has passed.
 */
export async function signIn(
  visit: Visit,
  asked: { email: string; password: string },
): Promise<SignInResult> {
  const { parts, clientInfo, now } = visit;
  const address = readEmailAddress(asked.email);
  const account = address ? await findAccountByEmail(parts.database, address.key) : undefined;
  const tries = await passwordTries(parts, {
    account,
    name: address?.key ?? asked.email,
    deviceHash: clientInfo.isReturning ? hashToken(clientInfo.deviceToken) : null,
    network: { kind: "password_network", ...clientInfo.network },
  });
  const refused = await tries.refusal(now);
  if (refused) return ofAccount(refused, account);
  return parts.attempts.inTurn(tries.own, async () => {
    const tooMany = await tries.take(now);
    if (tooMany) return ofAccount(tooMany, account);
    return verifyPassword(visit, account, { password: asked.password, tries });
  });
}

type PasswordAttempt = { password: string; tries: Tries };

async function verifyPassword(
  visit: Visit,
  account: Account | undefined,
  attempt: PasswordAttempt,
  rounds = ROUNDS,
): Promise<SignInResult> {
  const { parts, now } = visit;
  const { password, tries } = attempt;
  const usable = account ? usablePassword(account) : null;
  const { right, outdated } = await parts.passwords.verify(password, usable);
  if (!account || !right) {
    await noteFailure(visit, account, attempt);
    return ofAccount(refuse("wrong_credentials"), account);
  }
  const better = outdated ? { from: usable, to: await parts.passwords.hash(password) } : null;
  const passed = { signedInWith: "password", methodId: "password", bothFactors: false } as const;
  const done = await afterFirstFactor(visit, account, passed, async (write) => {
    const update = write.query.updateTable("account").where("id", "=", account.id);
    await update.set({ password_used_at: now }).execute();
    if (better) {
      await update.set({ password_hash: better.to }).where("password_hash", "=", better.from).execute();
    }
    await tries.release(write);
    return true;
  });
  if (done !== "changed_meanwhile") return done;
  const fresh = await findAccountByEmail(parts.database, account.email_key);
  return rounds > 1 ? verifyPassword(visit, fresh, attempt, rounds - 1) : refuse("wrong_credentials");
}

/**
 * Continues after a first factor of any kind: with a pending sign-in if 2FA is on and the first factor
 * doesn't count as both, else with a session. Refuses if the credentials have changed since they were
 * checked. `use` notes, with the account locked, that the method was used; it returns false if the method is
 * gone by then.
 */
export async function afterFirstFactor(
  visit: Visit,
  account: Account,
  passed: PassedFactors,
  use: (write: Write) => Promise<boolean>,
): Promise<SignInResult | "changed_meanwhile"> {
  const { parts, now } = visit;
  return parts.database.write(async (write) => {
    const locked = await lockAccount(write, account.id);
    if (locked?.credential_version !== account.credential_version) return "changed_meanwhile";
    if (!(await use(write))) return "changed_meanwhile";
    if (!passed.bothFactors && (await hasTwoFactor(write, locked.id)))
      return { ok: true, pendingSignIn: await addPendingSignIn(write, locked, passed, now) };
    if (locked.suspended_at !== null) return ofAccount(refuse("account_suspended"), locked);
    return { ok: true, started: await finishSignIn(visit, write, locked, passed) };
  });
}

/** The last step of every sign-in, with the account locked: the session, and an email about a new browser. */
export async function finishSignIn(
  visit: Visit,
  write: Write,
  account: Account,
  passed: PassedFactors,
): Promise<Started> {
  const { parts, clientInfo, now } = visit;
  const started = await startSession(visit, write, { accountId: account.id, ...passed });
  if (started.fromNewDevice) {
    const by = { sessionId: started.session.id, device: clientInfo.device.label, now };
    await writeNotice(parts, write, account, by, (context) =>
      messages.newSignIn({ ...context, device: by.device }),
    );
  }
  return started;
}

async function addPendingSignIn(
  write: Write,
  account: Account,
  passed: PassedFactors,
  now: number,
): Promise<{ token: string; expiresAt: number }> {
  const token = makeSecret();
  const expiresAt = now + PENDING_SIGN_IN_LIFETIME;
  await write.query
    .insertInto("pending_sign_in")
    .values({
      token_hash: hashToken(token),
      account_id: account.id,
      credential_version: account.credential_version,
      signed_in_with: passed.signedInWith,
      method_id: passed.methodId,
      wrong_codes: 0,
      expires_at: expiresAt,
    })
    .execute();
  return { token, expiresAt };
}

/** Records the failure for the owner. Without an account it writes as much, or the time would tell. */
async function noteFailure(
  visit: Visit,
  account: Account | undefined,
  { tries }: PasswordAttempt,
): Promise<void> {
  const { parts, clientInfo, now } = visit;
  const { label } = clientInfo.device;
  await parts.database.write(async (write) => {
    const locked = await lockAccount(write, account?.id ?? NOBODY);
    if (!locked) return parts.attempts.noteForNobody(write, tries.own.of, now);
    await recordFolded(write, { accountId: locked.id, kind: "sign_in_failed", at: now, label });
  });
}
