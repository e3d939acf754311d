import { hashNewPassword } from "../credentials/passwords/new-password.ts";
import type { Write } from "../database/database.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, sessionHasEnded } from "../refusals.ts";
import { deviceOf } from "../sessions/known-device.ts";
import { changeSecurity } from "./change-security.ts";
import { type Acting, renewOnce, requireProof } from "./proof.ts";

/**
 * Changes the password, or sets the first one. Every other session ends in the same transaction (S7); the
 * current one continues with a new token.
 */
export async function changePassword(
  acting: Acting,
  asked: { currentPassword?: string | undefined; newPassword: string },
): Promise<Outcome> {
  const { parts, current, now } = acting;
  const { currentPassword } = asked;
  const proof = await requireProof(acting, { currentPassword, named: true }, "one");
  if (!proof.ok) return proof;
  if (proof.account.password_hash === null) {
    // A first password is a new login method, so it needs the same proof as adding any other.
    const both = await requireProof(acting, { named: false }, "both");
    if (!both.ok) return both;
  }
  const { email } = proof.account;
  const limit = { kind: "new_password", of: current.id } as const;
  const chosen = { password: asked.newPassword, email, limit };
  const hashed = await hashNewPassword(parts, chosen, now);
  if (!hashed.ok) return hashed;

  const done = await changeSecurity(acting, { proved: proof.account }, async (write, account) => {
    const token = await renewOnce(write, current, {});
    if (token === null) return sessionHasEnded();
    const isFirst = account.password_hash === null;
    const set = {
      password_hash: hashed.passwordHash,
      password_set_at: now,
      password_blocked_at: null,
      ...(isFirst ? originOf(write, acting) : {}),
    };
    await write.query.updateTable("account").set(set).where("id", "=", account.id).execute();
    return {
      ends: { event: "password_changed", of: { accountId: account.id, exceptIds: [current.id] } },
      newCredentials: true,
      recorded: isFirst
        ? { kind: "method_added", detail: { method: "password" } }
        : { kind: "password_changed" },
      notice: (context, othersLoggedOut) =>
        isFirst
          ? messages.methodAdded({ ...context, othersLoggedOut, name: "Password" })
          : messages.passwordChanged({ ...context, othersLoggedOut }),
      answer: { token },
    };
  });
  if (!done.ok) return done;
  current.newToken = done.token;
  return { ok: true };
}

/** The origin of a first password: it is removed if the owner reports this session as a stranger's. */
function originOf(write: Write, { current, now }: Acting) {
  return {
    password_added_at: now,
    password_added_by: current.id,
    password_added_from: deviceOf(write, current.id),
    password_added_with: current.methodId,
  };
}
