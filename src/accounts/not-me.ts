import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endHalfFinishedSignIns, endSessions } from "../sessions/endings.ts";
import { holdAccount } from "../sessions/hold.ts";
import type { Visitor } from "../sessions/start.ts";
import { findLink, takeLink } from "./mailed-links.ts";
import type { AccountParts } from "./parts.ts";
import { makeResetLink } from "./password-reset.ts";
import { about, post } from "./post.ts";

/** "This wasn't me": the session of the mail ends, half-finished sign-ins too, and a reset begins. */
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
    // The address that the mail went to: a thief may have changed the account's meanwhile.
    return makeResetLink(parts, write, { id: accountId, email, email_key }, label, now);
  });
  if (resetLink === null) return refuse("link_expired");
  const message = messages.resetPassword({ ...about(parts, email, now, label), link: resetLink });
  post(parts, [{ to: email, message }]);
  return { ok: true };
}
