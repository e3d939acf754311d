import type { AccountParts } from "../credentials/parts.ts";
import type { SecondFactor } from "../credentials/second-factor.ts";
import { emailContext, sendEmails } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import { type Actor, device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import type { CurrentSession } from "./proof.ts";
import { lockProved, requireProof } from "./proof.ts";

/** Deletes the account and all that belongs to it; every session ends and is told so. There is no way back. */
export async function closeAccount(
  parts: AccountParts,
  current: CurrentSession,
  given: SecondFactor & { currentPassword?: string | undefined },
  now: number,
): Promise<Outcome> {
  const proof = await requireProof(parts, current, { ...given, named: true }, "both", now);
  if (!proof.ok) return proof;
  const done = await parts.database.write(async (write) => {
    const held = await lockProved(write, current, proof.account);
    if (held.ok) await deleteAccount(write, held.account.id, device(current.label), now);
    return held;
  });
  if (!done.ok) return done;
  const { email } = done.account;
  sendEmails(parts, [
    { to: email, message: messages.accountDeleted(emailContext(parts, email, now, current.label)) },
  ]);
  return { ok: true };
}

/** Ends the sessions, then deletes; what hangs on the account goes with it by foreign keys. */
export async function deleteAccount(write: Write, accountId: string, by: Actor, now: number): Promise<void> {
  await endBecauseOf(write, "account_closed", { accountId }, { by, at: now });
  await write.query.deleteFrom("account").where("id", "=", accountId).execute();
}
