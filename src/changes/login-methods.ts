import { makeNotMeLink } from "../credentials/emailed-links.ts";
import type { LoginMethod } from "../credentials/login-method-list.ts";
import { isNeeded, methodsOf } from "../credentials/login-method-list.ts";
import type { AccountParts } from "../credentials/parts.ts";
import type { NewPasskey } from "../credentials/passkeys/stored-passkeys.ts";
import { storePasskey, tidyName } from "../credentials/passkeys/stored-passkeys.ts";
import { emailContext, sendEmails } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { lockSession } from "../database/lock.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import { looksLikeId } from "../sessions/token.ts";
import type { CurrentSession } from "./proof.ts";
import { lockProved, missingProof, requireProof, signedOutMeanwhile } from "./proof.ts";

/**
 * Disconnects a login method, but never the last one that works (S15); with the account held, so that
 * two disconnects at once can't both find the other one left. Sessions that were opened with it end.
 */
export async function disconnect(
  parts: AccountParts,
  current: CurrentSession,
  methodId: string,
  now: number,
): Promise<Outcome> {
  const done = await parts.database.write(async (write) => {
    const account = await lockSession(write, current.accountId, current.id);
    if (!account) return signedOutMeanwhile();
    const methods = await methodsOf(parts, write.query, account);
    const method = methods.find((one) => one.id === methodId);
    if (!method) return refuse("not_found", "There is no such login method.");
    if (isNeeded(methodId, methods)) {
      return refuse(
        "last_login_method",
        "This is the only way to log in that works for this account. Add another one first.",
      );
    }
    const unproved = await missingProof(parts, write.query, { current, account }, "both", now);
    if (unproved) return unproved;
    await removeMethod(write, account, method);
    const which = { accountId: account.id, methodId, exceptIds: [current.id] };
    await endBecauseOf(write, "method_removed", which, { by: device(current.label), at: now });
    const detail = { method: method.kind, name: method.name };
    await record(write, {
      accountId: account.id,
      kind: "method_removed",
      at: now,
      label: current.label,
      detail,
    });
    write.announce(account.id);
    const notMeLink = await makeNotMeLink(parts, write, account, current.id, now);
    return { ok: true as const, email: account.email, name: method.name, notMeLink };
  });
  if (!done.ok) return done;
  const { email, name, notMeLink } = done;
  const message = messages.methodRemoved({
    ...emailContext(parts, email, now, current.label),
    name,
    notMeLink,
  });
  sendEmails(parts, [{ to: email, message }]);
  return { ok: true };
}

async function removeMethod(write: Write, account: Account, method: LoginMethod): Promise<void> {
  const { query } = write;
  if (method.kind === "passkey") await query.deleteFrom("passkey").where("id", "=", method.id).execute();
  if (method.kind === "oidc") await query.deleteFrom("oidc_identity").where("id", "=", method.id).execute();
  const withoutPassword =
    method.kind === "password" ? { password_hash: null, password_set_at: null, password_used_at: null } : {};
  await query
    .updateTable("account")
    .set({ ...withoutPassword, credential_version: account.credential_version + 1 })
    .where("id", "=", account.id)
    .execute();
}

/** Adds a passkey that the person's browser has just made. */
export async function addPasskey(
  parts: AccountParts,
  current: CurrentSession,
  made: { passkey: NewPasskey; name: string },
  now: number,
): Promise<Outcome<{ id: string }>> {
  return addMethod(parts, current, { kind: "passkey", name: tidyName(made.name) }, now, (write) =>
    storePasskey(write, current.accountId, made.passkey, made.name, now),
  );
}

/** Adds a login method to an account whose owner has proved to be here; `store` says why where it can't be had. */
export async function addMethod(
  parts: AccountParts,
  current: CurrentSession,
  method: { kind: "passkey" | "oidc"; name: string },
  now: number,
  store: (write: Write) => Promise<Outcome<{ id: string }>>,
): Promise<Outcome<{ id: string }>> {
  const proof = await requireProof(parts, current, { named: false }, "both", now);
  if (!proof.ok) return proof;
  const done = await parts.database.write(async (write) => {
    const held = await lockProved(write, current, proof.account);
    if (!held.ok) return held;
    const { account } = held;
    const stored = await store(write);
    if (!stored.ok) return stored;
    const { id } = stored;
    await write.query
      .updateTable(method.kind === "passkey" ? "passkey" : "oidc_identity")
      .set(({ selectFrom }) => ({
        added_by: current.id,
        added_with: current.methodId,
        added_from: selectFrom("session").select("device_hash").where("id", "=", current.id),
      }))
      .where("id", "=", id)
      .execute();
    const detail = { method: method.kind, name: method.name };
    await record(write, {
      accountId: account.id,
      kind: "method_added",
      at: now,
      label: current.label,
      detail,
    });
    write.announce(account.id);
    return { ok: true as const, id, notMeLink: await makeNotMeLink(parts, write, account, current.id, now) };
  });
  if (!done.ok) return done;
  const { email } = proof.account;
  const context = {
    ...emailContext(parts, email, now, current.label),
    name: method.name,
    notMeLink: done.notMeLink,
  };
  sendEmails(parts, [{ to: email, message: messages.methodAdded(context) }]);
  return { ok: true, id: done.id };
}

/** Gives a passkey another name. */
export async function renameMethod(
  parts: AccountParts,
  current: CurrentSession,
  methodId: string,
  name: string,
): Promise<Outcome> {
  const noSuch = refuse("not_found", "There is no such passkey.");
  if (!looksLikeId(methodId)) return noSuch;
  const renamed = await parts.database.write(({ query }) =>
    query
      .updateTable("passkey")
      .set({ name: tidyName(name) })
      .where("id", "=", methodId)
      .where("account_id", "=", current.accountId)
      .returning("id")
      .executeTakeFirst(),
  );
  return renamed ? { ok: true } : noSuch;
}
