import { emailContext } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { changeSecurity } from "./change-security.ts";
import type { Acting, GivenFactors } from "./proof.ts";

/** Deletes the account and all its data, and ends every session. This can't be undone. */
export async function closeAccount(acting: Acting, given: GivenFactors): Promise<Outcome> {
  const { parts, current, now } = acting;
  const allowed = { given: { ...given, named: true }, level: "both" } as const;
  return changeSecurity(acting, allowed, async (write, { id, email }) => ({
    ends: { event: "account_closed", of: { accountId: id } },
    afterEndings: () => deleteAccount(write, id),
    emails: () => [
      { to: email, message: messages.accountDeleted(emailContext(parts, email, now, current.label)) },
    ],
    answer: {},
  }));
}

/** Deletes an account whose sessions have ended; foreign keys delete the rows that refer to it. */
export async function deleteAccount(write: Write, accountId: string): Promise<void> {
  await write.query.deleteFrom("account").where("id", "=", accountId).execute();
}
