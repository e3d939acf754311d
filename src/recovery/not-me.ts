import { type AccountLink, findAccountLink } from "../credentials/emailed-links.ts";
import { NO_PASSWORD } from "../credentials/ownership.ts";
import type { Visit } from "../credentials/parts.ts";
import { changeByLink, resetEmail } from "../credentials/security-change.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import { forgetDevice } from "../sessions/known-device.ts";

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
    const methods = [...passwordOf(account, link), ...(await readMethods(write, accountId))];
    const gone = methodsFrom(methods, { sessionId: id, deviceHash });
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

async function removeReported(
  write: Write,
  accountId: string,
  { id: methodId, table, kind, name }: Method,
  { label, now: at }: { label: string; now: number },
): Promise<void> {
  if (table === "account")
    await write.query.updateTable(table).set(NO_PASSWORD).where("id", "=", accountId).execute();
  else await write.query.deleteFrom(table).where("id", "=", methodId).execute();
  const opened = { accountId, methodId, exceptIds: [] };
  await endBecauseOf(write, "method_removed", opened, { by: device(label), at });
  const detail = { method: kind, name };
  await record(write, { accountId, kind: "method_removed", at, label, detail });
}

type Method = {
  id: string;
  table: "account" | "passkey" | "oidc_identity";
  kind: string;
  name: string;
  /** Whether it is what the email was about. */
  isReported?: boolean;
  created_at: number;
  added_by: string | null;
  added_from: Uint8Array | null;
  added_with: string | null;
};

/** The password, where this report may concern it: it was added by a session, or by the very reset that is reported. */
function passwordOf(account: Account, link: AccountLink): Method[] {
  const { password_set_at: setAt, password_added_at: addedAt } = account;
  const isReported = link.session_id === null && setAt === link.created_at;
  const createdAt = isReported ? setAt : addedAt;
  if (createdAt === null) return [];
  return [
    {
      id: "password",
      table: "account",
      kind: "password",
      name: "Password",
      isReported,
      created_at: createdAt,
      added_by: account.password_added_by,
      added_from: account.password_added_from,
      added_with: account.password_added_with,
    },
  ];
}

async function readMethods(write: Write, accountId: string): Promise<Method[]> {
  const origin = ["id", "created_at", "added_by", "added_from", "added_with"] as const;
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

/**
 * Methods that were added there, those that were added with one of them, and so on. What is older than a password
 * was added with the one before it, which goes by the same id.
 */
function methodsFrom(
  methods: readonly Method[],
  { sessionId, deviceHash }: { sessionId: string | null; deviceHash: Uint8Array | null },
): Method[] {
  const gone = new Map<string, Method>();
  const isGone = ({ isReported = false, created_at, added_by, added_from, added_with }: Method) =>
    isReported ||
    (added_by !== null && added_by === sessionId) ||
    (added_from !== null && deviceHash !== null && Buffer.compare(added_from, deviceHash) === 0) ||
    (added_with !== null && created_at >= (gone.get(added_with)?.created_at ?? Number.POSITIVE_INFINITY));
  for (let before = -1; before < gone.size; ) {
    before = gone.size;
    for (const method of methods) if (isGone(method)) gone.set(method.id, method);
  }
  return [...gone.values()];
}
