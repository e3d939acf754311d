import type { Kysely } from "kysely";
import type { Write } from "../database/database.ts";
import type { Schema } from "../database/schema.ts";
import { record } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import { issuerKey } from "../options/oidc.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endHalfFinishedSignIns, endSessions } from "../sessions/endings.ts";
import type { Account } from "../sessions/hold.ts";
import { holdSession } from "../sessions/hold.ts";
import { looksLikeId } from "../sessions/token.ts";
import { findAccount } from "./account.ts";
import type { AccountParts } from "./parts.ts";
import { about, post } from "./post.ts";
import type { Acting } from "./proof.ts";
import { holdProved, missingProof, requireProof, signedOutMeanwhile } from "./proof.ts";
import { makeNotMeLink } from "./sign-in.ts";
import type { NewPasskey } from "./stored-passkeys.ts";
import { storePasskey, tidyName } from "./stored-passkeys.ts";

export type LoginMethod = {
  id: string;
  kind: "password" | "passkey" | "oidc";
  name: string;
  createdAt: number;
  lastUsedAt: number | null;
};

/** Every way to log in to an account, the oldest first; `needed` are the ids of those that can't be disconnected. */
export async function listLoginMethods(
  parts: AccountParts,
  accountId: string,
): Promise<{ methods: LoginMethod[]; needed: string[] }> {
  const account = await findAccount(parts.database, accountId);
  const all = account ? await methodsOf(parts, parts.database.read, account) : [];
  return {
    methods: all.map(({ works, ...method }) => method),
    needed: all.filter(({ id }) => isNeeded(id, all)).map(({ id }) => id),
  };
}

/** Whether nothing else works, so that this one stays (S15). */
function isNeeded(methodId: string, methods: readonly { id: string; works: boolean }[]): boolean {
  return !methods.some(({ id, works }) => works && id !== methodId);
}

/**
 * All methods of an account, each with whether it works by itself: a password whose address can't
 * receive a reset doesn't, nor does a provider that is no longer in the settings, or is there with another
 * issuer, nor a passkey where BASE_URL has no name.
 */
export async function methodsOf(
  parts: AccountParts,
  query: Kysely<Schema>,
  account: Account,
): Promise<(LoginMethod & { works: boolean })[]> {
  const passkeys = await query
    .selectFrom("passkey")
    .selectAll()
    .where("account_id", "=", account.id)
    .execute();
  const identities = await query
    .selectFrom("oidc_identity")
    .selectAll()
    .where("account_id", "=", account.id)
    .execute();
  const methods: (LoginMethod & { works: boolean })[] = [];
  if (account.password_hash !== null) {
    methods.push({
      id: "password",
      kind: "password",
      name: "Password",
      createdAt: account.password_set_at ?? account.created_at,
      lastUsedAt: account.password_used_at,
      works: account.email_verified_at !== null && account.password_blocked_at === null,
    });
  }
  for (const { id, name, created_at: createdAt, last_used_at: lastUsedAt } of passkeys) {
    methods.push({ id, kind: "passkey", name, createdAt, lastUsedAt, works: parts.settings.baseUrl.hasName });
  }
  for (const { id, provider, issuer, created_at: createdAt, last_used_at: lastUsedAt } of identities) {
    const known = parts.settings.oidc.find((one) => one.id === provider);
    methods.push({
      id,
      kind: "oidc",
      name: known?.name ?? provider,
      createdAt,
      lastUsedAt,
      works: known !== undefined && issuerKey(known.issuer) === issuer,
    });
  }
  return methods.sort((one, other) => one.createdAt - other.createdAt);
}

/**
 * Disconnects a login method, but never the last one that works (S15); with the account held, so that
 * two disconnects at once can't both find the other one left. Sessions that were opened with it end.
 */
export async function disconnect(
  parts: AccountParts,
  acting: Acting,
  methodId: string,
  now: number,
): Promise<Outcome> {
  const done = await parts.database.write(async (write) => {
    const account = await holdSession(write, acting.accountId, acting.id);
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
    const unproved = await missingProof(parts, write.query, { acting, account }, "both", now);
    if (unproved) return unproved;
    await removeMethod(write, account, method);
    const which = { accountId: account.id, methodId, exceptId: acting.id };
    await endSessions(write, which, { reason: "method_removed", by: acting.label, at: now });
    const detail = { method: method.kind, name: method.name };
    await record(write, {
      accountId: account.id,
      kind: "method_removed",
      at: now,
      label: acting.label,
      detail,
    });
    write.announce(account.id);
    const notMeLink = await makeNotMeLink(parts, write, account, acting.id, now);
    return { ok: true as const, email: account.email, name: method.name, notMeLink };
  });
  if (!done.ok) return done;
  const { email, name, notMeLink } = done;
  const message = messages.methodRemoved({ ...about(parts, email, now, acting.label), name, notMeLink });
  post(parts, [{ to: email, message }]);
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
  await endHalfFinishedSignIns(write, account.id);
}

/** Adds a passkey that the person's browser has just made. */
export async function addPasskey(
  parts: AccountParts,
  acting: Acting,
  made: { passkey: NewPasskey; name: string },
  now: number,
): Promise<Outcome<{ id: string }>> {
  return addMethod(parts, acting, { kind: "passkey", name: tidyName(made.name) }, now, (write) =>
    storePasskey(write, acting.accountId, made.passkey, made.name, now),
  );
}

/** Adds a login method to an account whose owner has proved to be here; `store` says why where it can't be had. */
export async function addMethod(
  parts: AccountParts,
  acting: Acting,
  method: { kind: "passkey" | "oidc"; name: string },
  now: number,
  store: (write: Write) => Promise<Outcome<{ id: string }>>,
): Promise<Outcome<{ id: string }>> {
  const proof = await requireProof(parts, acting, { named: false }, "both", now);
  if (!proof.ok) return proof;
  const done = await parts.database.write(async (write) => {
    const held = await holdProved(write, acting, proof.account);
    if (!held.ok) return held;
    const { account } = held;
    const stored = await store(write);
    if (!stored.ok) return stored;
    const { id } = stored;
    await write.query
      .updateTable(method.kind === "passkey" ? "passkey" : "oidc_identity")
      .set(({ selectFrom }) => ({
        added_by: acting.id,
        added_with: acting.methodId,
        added_from: selectFrom("session").select("device_hash").where("id", "=", acting.id),
      }))
      .where("id", "=", id)
      .execute();
    const detail = { method: method.kind, name: method.name };
    await record(write, {
      accountId: account.id,
      kind: "method_added",
      at: now,
      label: acting.label,
      detail,
    });
    write.announce(account.id);
    return { ok: true as const, id, notMeLink: await makeNotMeLink(parts, write, account, acting.id, now) };
  });
  if (!done.ok) return done;
  const { email } = proof.account;
  const context = { ...about(parts, email, now, acting.label), name: method.name, notMeLink: done.notMeLink };
  post(parts, [{ to: email, message: messages.methodAdded(context) }]);
  return { ok: true, id: done.id };
}

/** Gives a passkey another name. */
export async function renameMethod(
  parts: AccountParts,
  acting: Acting,
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
      .where("account_id", "=", acting.accountId)
      .returning("id")
      .executeTakeFirst(),
  );
  return renamed ? { ok: true } : noSuch;
}
