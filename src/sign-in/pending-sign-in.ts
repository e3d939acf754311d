import { type Selectable, sql } from "kysely";
import { secondFactorTries } from "../credentials/limits/tries.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import { noteRecoveryCode } from "../credentials/recovery-codes.ts";
import { acceptSecondFactor, readySecondFactor, type SecondFactor } from "../credentials/second-factor.ts";
import { writeNotice } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import { type Account, lockAccount } from "../database/lock.ts";
import type { PendingSignInTable } from "../database/schema.ts";
import { recordFolded } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, ofAccount, type Refusal, refuse } from "../refusals.ts";
import { isKnownDevice } from "../sessions/known-device.ts";
import type { Started } from "../sessions/start.ts";
import { hashToken } from "../sessions/token.ts";
import { finishSignIn } from "./sign-in.ts";

const WRONG_CODES = 10;
/** After how many wrong codes the owner gets an email: in a known browser, the first may be typos. */
const TOLD = { inKnownBrowser: 3, elsewhere: 1 };

/**
 * The second step of a sign-in. It stays open after a wrong code, until 10 codes were wrong or 10 minutes
 * have passed. Each try is counted before it is checked, so that parallel ones can't slip by.
 */
export async function finishWithSecondFactor(
  visit: Visit,
  token: string | null,
  given: SecondFactor,
): Promise<Outcome<{ started: Started }>> {
  const { parts, clientInfo, now } = visit;
  if (token === null) return refuse("sign_in_expired");
  const pending = await findPendingSignIn(parts, token, now);
  if (!pending) return refuse("sign_in_expired");
  const limit = await secondFactorTries(parts, pending.account_id, hashToken(clientInfo.deviceToken));
  const tooMany = await parts.attempts.take([limit], now);
  if (tooMany) return ofAccount(tooMany, { id: pending.account_id });
  const ready = await readySecondFactor(parts, pending.account_id, given);

  return parts.database.write(async (write) => {
    const account = await lockAccount(write, pending.account_id);
    const counted = account && (await countTry(write, token, account, now));
    if (!account || !counted) return refuse("sign_in_expired");
    const accepted = await acceptSecondFactor(parts, write, account.id, ready, now);
    if (accepted === null) return noteWrongCode(visit, write, account, counted);
    await write.query.deleteFrom("pending_sign_in").where("token_hash", "=", hashToken(token)).execute();
    await parts.attempts.release(write, limit);
    if (account.suspended_at !== null) return ofAccount(refuse("account_suspended"), account);
    const { signed_in_with: signedInWith, method_id: methodId } = counted;
    const started = await finishSignIn(visit, write, account, { signedInWith, methodId, bothFactors: true });
    if (accepted === "recovery_code")
      await noteRecoveryCode(parts, write, { account, session: started.session }, now);
    return { ok: true, started };
  });
}

async function findPendingSignIn(parts: AccountParts, token: string, now: number) {
  return parts.database.read
    .selectFrom("pending_sign_in")
    .select("account_id")
    .where("token_hash", "=", hashToken(token))
    .where("expires_at", ">", now)
    .where("wrong_codes", "<", WRONG_CODES)
    .executeTakeFirst();
}

/** Counts a try as wrong before the check. Undefined if the sign-in is over or credentials have changed. */
async function countTry(
  write: Write,
  token: string,
  account: Account,
  now: number,
): Promise<Selectable<PendingSignInTable> | undefined> {
  return write.query
    .updateTable("pending_sign_in")
    .set({ wrong_codes: sql`wrong_codes + 1` })
    .where("token_hash", "=", hashToken(token))
    .where("account_id", "=", account.id)
    .where("credential_version", "=", account.credential_version)
    .where("expires_at", ">", now)
    .where("wrong_codes", "<", WRONG_CODES)
    .returningAll()
    .executeTakeFirst();
}

/** Somebody got past the first factor: tells the owner in the activity, and by one email per sign-in. */
async function noteWrongCode(
  visit: Visit,
  write: Write,
  account: Account,
  pending: Selectable<PendingSignInTable>,
): Promise<Refusal> {
  const { parts, clientInfo, now } = visit;
  const { label } = clientInfo.device;
  await recordFolded(write, { accountId: account.id, kind: "two_factor_failed", at: now, label });
  const words = "That code is not right. Wait for the next one, or use a recovery code.";
  const refusal = ofAccount(refuse("wrong_code", words, { status: 401 }), account);
  const isKnown = await isKnownDevice(write.query, account.id, hashToken(clientInfo.deviceToken));
  if (pending.wrong_codes === (isKnown ? TOLD.inKnownBrowser : TOLD.elsewhere)) {
    const knowsPassword = pending.signed_in_with === "password";
    await writeNotice(parts, write, account, { sessionId: null, device: label, now }, (context) =>
      messages.wrongSecondFactor({ ...context, knowsPassword }),
    );
  }
  return refusal;
}
