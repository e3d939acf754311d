import type { Write } from "../database/database.ts";
import { record } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endHalfFinishedSignIns, endSessions } from "../sessions/endings.ts";
import type { Account } from "../sessions/hold.ts";
import { holdAccount } from "../sessions/hold.ts";
import type { Visitor } from "../sessions/start.ts";
import { findLink, takeLink } from "./mailed-links.ts";
import type { AccountParts } from "./parts.ts";
import { makeResetLink } from "./password-reset.ts";
import { about, post } from "./post.ts";

/**
 * "This wasn't me": the session of the mail ends, half-finished sign-ins too, and a reset begins. The login
 * methods that it added go, or it would be back through one of them. 2FA stays: else who reads the mails
 * could take it off.
 */
export async function reportSession(
  parts: AccountParts,
  token: string,
  visitor: Visitor,
  now: number,
): Promise<Outcome> {
  const link = await findLink(parts.database, ["not_me"], token, now);
  const accountId = link?.account_id;
  if (!link?.session_id || !accountId) return refuse("link_expired");
  const { session_id: sessionId, email, email_key } = link;
  const { label } = visitor.device;
  const resetLink = await parts.database.write(async (write) => {
    const account = await holdAccount(write, accountId);
    if (!account || !(await takeLink(write, ["not_me"], token, now))) return null;
    await endSessions(write, { accountId, id: sessionId }, { reason: "reported", by: label, at: now });
    await endHalfFinishedSignIns(write, accountId);
    await removeMethodsAddedBy(write, { account, sessionId, label }, now);
    // The address that the mail went to: a thief may have changed the account's meanwhile.
    return makeResetLink(parts, write, { id: accountId, email, email_key }, label, now);
  });
  if (resetLink === null) return refuse("link_expired");
  const message = messages.resetPassword({ ...about(parts, email, now, label), link: resetLink });
  post(parts, [{ to: email, message }]);
  return { ok: true };
}

async function removeMethodsAddedBy(
  write: Write,
  of: { account: Account; sessionId: string; label: string },
  now: number,
): Promise<void> {
  const { account, sessionId, label } = of;
  const accountId = account.id;
  const passkeys = await write.query
    .deleteFrom("passkey")
    .where("account_id", "=", accountId)
    .where("added_by", "=", sessionId)
    .returning(["id", "name"])
    .execute();
  const identities = await write.query
    .deleteFrom("oidc_identity")
    .where("account_id", "=", accountId)
    .where("added_by", "=", sessionId)
    .returning(["id", "provider as name"])
    .execute();
  const gone = [
    ...passkeys.map((one) => ({ ...one, kind: "passkey" })),
    ...identities.map((one) => ({ ...one, kind: "oidc" })),
  ];
  for (const { id: methodId, kind, name } of gone) {
    await endSessions(write, { accountId, methodId }, { reason: "method_removed", by: label, at: now });
    const detail = { method: kind, name };
    await record(write, { accountId, kind: "method_removed", at: now, label, detail });
  }
  if (gone.length === 0) return;
  await write.query
    .updateTable("account")
    .set({ credential_version: account.credential_version + 1 })
    .where("id", "=", accountId)
    .execute();
  write.announce(accountId);
}
