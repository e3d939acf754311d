import { type AccountLink, findAccountLink } from "../credentials/emailed-links.ts";
import { type MethodOrigin, readOrigins, removeMethod } from "../credentials/method-origins.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import { changeByLink, resetEmail } from "../credentials/security-change.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import { overAt } from "../sessions/expiry.ts";
import { forgetDevice } from "../sessions/known-device.ts";

/**
 * "This wasn't me". Ends the session that the email was about and every other one from the same browser, so
 * that signing in twice doesn't help a thief; also pending sign-ins. Begins a password reset. Removes the
 * login methods that were added from there, and forgets the browser, so that its next sign-in counts as new.
 * If a password reset is reported, removes the new password and the sessions that it opened. 2FA stays;
 * otherwise anyone who reads the owner's email could turn it off.
 */
export async function reportSession(visit: Visit, token: string): Promise<Outcome> {
  const { parts, clientInfo, now } = visit;
  const link = await findAccountLink(parts.database, ["not_me"], token, now);
  if (!link) return refuse("link_expired");
  const { account_id: accountId, session_id: id, device_hash: deviceHash, email, email_key } = link;
  // The address that the email went to: a thief may have changed the account's address meanwhile.
  const mailbox = { id: accountId, email, email_key };
  const { label } = clientInfo.device;
  return changeByLink(visit, link, async (write, account) => {
    const gone = methodsFrom(await readOrigins(write, account), link);
    return {
      ends: { event: "session_reported", of: { accountId, id, deviceHash } },
      afterEndings: async () => {
        if (deviceHash !== null) await forgetDevice(write, accountId, deviceHash);
        for (const method of gone) await removeReported(parts, write, accountId, method, { label, now });
      },
      newCredentials: gone.length > 0,
      emails: async () => [
        await resetEmail(parts, write, mailbox, secureFor(account, email_key), { label, now }),
      ],
    };
  });
}

/** The reset email; it tells its reader if the account's address has changed meanwhile. */
function secureFor({ email, email_key: key }: Account, readerKey: string): typeof messages.secureAccount {
  if (key === readerKey) return messages.secureAccount;
  return (context) => messages.secureMovedAccount({ ...context, movedTo: email });
}

/** Removes a method and ends its sessions; a method that is already gone may still have sessions. */
async function removeReported(
  parts: AccountParts,
  write: Write,
  accountId: string,
  method: MethodOrigin,
  { label, now: at }: { label: string; now: number },
): Promise<void> {
  const { id: methodId, kind, name } = method;
  await removeMethod(write, accountId, method);
  const opened = { accountId, methodId, exceptIds: await openedSince(write, accountId, method) };
  await endBecauseOf(write, "method_removed", opened, { by: device(label), at }, overAt(parts, at));
  if (kind === "removed") return;
  const detail = { method: kind, name };
  await record(write, { accountId, kind: "method_removed", at, label, detail });
}

/** Sessions that began after a method was removed: a later password, which has the same id, opened them. */
async function openedSince(
  { query }: Write,
  accountId: string,
  { id, removed_at: removedAt }: MethodOrigin,
): Promise<string[]> {
  if (removedAt === null) return [];
  const rows = await query
    .selectFrom("session")
    .select("id")
    .where("account_id", "=", accountId)
    .where("method_id", "=", id)
    .where("created_at", ">=", removedAt)
    .execute();
  return rows.map((row) => row.id);
}

/** Methods that the reported session, browser or reset added, and those added with one of them, and so on. */
function methodsFrom(methods: readonly MethodOrigin[], link: AccountLink): MethodOrigin[] {
  const gone = new Set<MethodOrigin>();
  const isGone = (method: MethodOrigin) => {
    const parent = addedWith(method, methods);
    return isReported(method, link) || (parent !== undefined && gone.has(parent));
  };
  for (let before = -1; before < gone.size; ) {
    before = gone.size;
    for (const method of methods) if (isGone(method)) gone.add(method);
  }
  return [...gone];
}

function isReported(method: MethodOrigin, link: AccountLink): boolean {
  const { id, created_at: createdAt, added_by: by, added_from: from } = method;
  const { session_id: sessionId, device_hash: deviceHash } = link;
  // An email about a reset names no session; the time tells which password the reset set.
  if (by === null) return id === "password" && sessionId === null && createdAt === link.created_at;
  return by === sessionId || (from !== null && deviceHash !== null && Buffer.compare(from, deviceHash) === 0);
}

/** The method whose session added this one. Passwords share an id: the one current at the time counts. */
function addedWith(
  { added_with, created_at }: MethodOrigin,
  methods: readonly MethodOrigin[],
): MethodOrigin | undefined {
  return methods
    .filter(({ id, created_at: since }) => id === added_with && (id !== "password" || since <= created_at))
    .sort((one, other) => one.created_at - other.created_at)
    .at(-1);
}
