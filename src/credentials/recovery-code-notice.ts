import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import { makeNotMeLink } from "./emailed-links.ts";
import type { AccountParts } from "./parts.ts";
import { leftRecoveryCodes } from "./recovery-codes.ts";
import { emailContext, writeEmails } from "./send-emails.ts";

/** A recovery code was used: in the activity, and an email that says how many are left. `session` is the one that used it. */
export async function noteRecoveryCode(
  parts: AccountParts,
  write: Write,
  { account, session }: { account: Account; session: { id: string; label: string } },
  now: number,
): Promise<void> {
  const { id: accountId, email } = account;
  const { label } = session;
  const left = await leftRecoveryCodes(write, accountId);
  await record(write, { accountId, kind: "recovery_code_used", at: now, label, detail: { left } });
  const notMeLink = await makeNotMeLink(parts, write, account, session.id, now);
  const message = messages.recoveryCodeUsed({ ...emailContext(parts, email, now, label), left, notMeLink });
  await writeEmails(parts, write, [{ to: email, message }], now);
}
