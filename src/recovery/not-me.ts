import { findAccountLink } from "../credentials/emailed-links.ts";
import { readOrigins } from "../credentials/method-origins.ts";
import type { Visit } from "../credentials/parts.ts";
import { changeByLink, resetEmail } from "../credentials/security-change.ts";
import type { Account } from "../database/lock.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { forgetDevice } from "../sessions/known-device.ts";
import { methodsFrom, removeReported } from "./reported-methods.ts";

/**
 * "This wasn't me": the session of the email ends, with every other one of the same browser, so that
 * signing in twice doesn't help; pending sign-ins too, and a reset begins. The login methods that came
 * from there go, or a thief would be back through one of them, and the browser is a new one again. Of a reset
 * that is reported, the new password goes, with the sessions that it opened. 2FA stays, or someone who reads
 * the emails could take it off.
 */
export async function reportSession(visit: Visit, token: string): Promise<Outcome> {
  const { parts, clientInfo, now } = visit;
  const link = await findAccountLink(parts.database, ["not_me"], token, now);
  if (!link) return refuse("link_expired");
  const { account_id: accountId, session_id: id, device_hash: deviceHash, email, email_key } = link;
  // The address that the email went to: a thief may have changed the account's meanwhile.
  const mailbox = { id: accountId, email, email_key };
  const { label } = clientInfo.device;
  return changeByLink(visit, link, async (write, account) => {
    const gone = methodsFrom(await readOrigins(write, account), [link]);
    return {
      ok: true,
      ends: { event: "session_reported", of: { accountId, id, deviceHash } },
      afterEndings: async () => {
        if (deviceHash !== null) await forgetDevice(write, accountId, deviceHash);
        for (const method of gone) await removeReported(write, accountId, method, { label, now });
      },
      newCredentials: gone.length > 0,
      emails: async () => [
        await resetEmail(parts, write, mailbox, secureFor(account, email_key), { label, now }),
      ],
      answer: {},
    };
  });
}

/** The email with the link, which tells its reader where the account has another address by now. */
function secureFor({ email, email_key: key }: Account, readerKey: string): typeof messages.secureAccount {
  if (key === readerKey) return messages.secureAccount;
  return (context) => messages.secureMovedAccount({ ...context, movedTo: email });
}
