import { ownWords } from "../credentials/account.ts";
import { makeNotMeLink } from "../credentials/emailed-links.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { emailContext, sendEmails } from "../credentials/send-emails.ts";
import { record } from "../history/activity.ts";
import { device } from "../history/actor.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import type { CurrentSession } from "./proof.ts";
import { lockProved, renewOnce, requireProof, signedOutMeanwhile } from "./proof.ts";

/**
 * Changes the password, or sets the first one. Every other session ends in the same transaction (S7),
 * the current one goes on with a new token.
 */
export async function changePassword(
  parts: AccountParts,
  current: CurrentSession,
  asked: { currentPassword?: string | undefined; newPassword: string },
  now: number,
): Promise<Outcome> {
  const { currentPassword } = asked;
  const proof = await requireProof(parts, current, { currentPassword, named: true }, "one", now);
  if (!proof.ok) return proof;
  if (proof.account.password_hash === null) {
    // A first password is one more way to log in, so it needs what any other needs.
    const both = await requireProof(parts, current, { named: false }, "both", now);
    if (!both.ok) return both;
  }
  const { email, id } = proof.account;
  const tooMany = await parts.attempts.take([{ kind: "new_password", of: id }], now);
  if (tooMany) return tooMany;
  const weak = await parts.strength.whyWeak(asked.newPassword, ownWords(email));
  if (weak) return refuse("weak_password", weak);
  const passwordHash = await parts.passwords.hash(asked.newPassword);

  const done = await parts.database.write(async (write) => {
    const held = await lockProved(write, current, proof.account);
    if (!held.ok) return held;
    const { account } = held;
    const token = await renewOnce(write, current, {});
    if (token === null) return signedOutMeanwhile();
    await write.query
      .updateTable("account")
      .set({
        password_hash: passwordHash,
        password_set_at: now,
        password_blocked_at: null,
        credential_version: account.credential_version + 1,
      })
      .where("id", "=", account.id)
      .execute();
    const others = { accountId: account.id, exceptIds: [current.id] } as const;
    const doer = { by: device(current.label), at: now };
    const ended = await endBecauseOf(write, "password_changed", others, doer);
    const kind = account.password_hash === null ? ("method_added" as const) : ("password_changed" as const);
    const detail = kind === "method_added" ? { method: "password" } : {};
    await record(write, { accountId: account.id, kind, at: now, label: current.label, detail });
    return {
      ok: true as const,
      token,
      ended,
      kind,
      notMeLink: await makeNotMeLink(parts, write, account, current.id, now),
    };
  });
  if (!done.ok) return done;
  current.newToken = done.token;
  const { notMeLink, ended: othersLoggedOut, kind } = done;
  const context = { ...emailContext(parts, email, now, current.label), notMeLink, othersLoggedOut };
  const message =
    kind === "password_changed"
      ? messages.passwordChanged(context)
      : messages.methodAdded({ ...context, name: "Password" });
  sendEmails(parts, [{ to: email, message }]);
  return { ok: true };
}
