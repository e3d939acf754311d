import type { EmailedLink } from "../credentials/emailed-links.ts";
import { findLink, makeResetLink, redeemLink } from "../credentials/emailed-links.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { emailContext, sendEmails } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { lockAccount } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import { forgetDevice } from "../sessions/known-device.ts";
import type { ClientInfo } from "../sessions/start.ts";

/**
 * "This wasn't me": the session of the email ends, with every other one of the same browser, so that
 * signing in twice doesn't help; pending sign-ins too, and a reset begins. The login methods that came
 * from there go, or a thief would be back through one of them, and the browser is a new one again. 2FA
 * stays: else who reads the emails could take it off.
 */
export async function reportSession(
  parts: AccountParts,
  token: string,
  clientInfo: ClientInfo,
  now: number,
): Promise<Outcome> {
  const link = await findLink(parts.database, ["not_me"], token, now);
  const accountId = link?.account_id;
  if (!link || !accountId) return refuse("link_expired");
  const { email, email_key } = link;
  const { label } = clientInfo.device;
  const resetLink = await parts.database.write(async (write) => {
    const account = await lockAccount(write, accountId);
    if (!account || !(await redeemLink(write, ["not_me"], token, now))) return null;
    await endReported(write, account, link, label, now);
    // The address that the email went to: a thief may have changed the account's meanwhile.
    return makeResetLink(parts, write, { id: accountId, email, email_key }, label, now);
  });
  if (resetLink === null) return refuse("link_expired");
  const message = messages.resetPassword({ ...emailContext(parts, email, now, label), link: resetLink });
  sendEmails(parts, [{ to: email, message }]);
  return { ok: true };
}

async function endReported(
  write: Write,
  account: Account,
  { session_id: sessionId, device_hash: deviceHash }: EmailedLink,
  label: string,
  now: number,
): Promise<void> {
  const accountId = account.id;
  const doer = { by: device(label), at: now };
  await endBecauseOf(write, "session_reported", { accountId, id: sessionId, deviceHash }, doer);
  if (deviceHash !== null) await forgetDevice(write, accountId, deviceHash);
  const methods = await readMethods(write, accountId);
  const gone = methodsFrom(methods, { sessionId, deviceHash });
  if (gone.length === 0) return;
  for (const { id: methodId, table, kind, name } of gone) {
    await write.query.deleteFrom(table).where("id", "=", methodId).execute();
    await endBecauseOf(write, "method_removed", { accountId, methodId, exceptIds: [] }, doer);
    const detail = { method: kind, name };
    await record(write, { accountId, kind: "method_removed", at: now, label, detail });
  }
  await write.query
    .updateTable("account")
    .set({ credential_version: account.credential_version + 1 })
    .where("id", "=", accountId)
    .execute();
  write.announce(accountId);
}

type Method = Awaited<ReturnType<typeof readMethods>>[number];

async function readMethods(write: Write, accountId: string) {
  const origin = ["id", "added_by", "added_from", "added_with"] as const;
  const passkeys = await write.query
    .selectFrom("passkey")
    .select([...origin, "name"])
    .where("account_id", "=", accountId)
    .execute();
  const identities = await write.query
    .selectFrom("oidc_identity")
    .select([...origin, "provider as name"])
    .where("account_id", "=", accountId)
    .execute();
  return [
    ...passkeys.map((one) => ({ ...one, kind: "passkey", table: "passkey" as const })),
    ...identities.map((one) => ({ ...one, kind: "oidc", table: "oidc_identity" as const })),
  ];
}

/** Those that were added there, and those that were added with one of them, and so on. */
function methodsFrom(
  methods: readonly Method[],
  { sessionId, deviceHash }: { sessionId: string | null; deviceHash: Uint8Array | null },
): Method[] {
  const gone = new Map<string, Method>();
  const isGone = ({ added_by, added_from, added_with }: Method) =>
    (added_by !== null && added_by === sessionId) ||
    (added_from !== null && deviceHash !== null && Buffer.compare(added_from, deviceHash) === 0) ||
    (added_with !== null && gone.has(added_with));
  for (let before = -1; before < gone.size; ) {
    before = gone.size;
    for (const method of methods) if (isGone(method)) gone.set(method.id, method);
  }
  return [...gone.values()];
}
