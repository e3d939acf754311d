import { record } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { holdAccount } from "../sessions/hold.ts";
import { isKnownDevice } from "../sessions/known-device.ts";
import type { Visitor } from "../sessions/start.ts";
import { hashToken } from "../sessions/token.ts";
import { readEmailAddress } from "./email-address.ts";
import { confirmEmailChange } from "./email-change.ts";
import type { MailedLink } from "./mailed-links.ts";
import { findLink, makeLink, takeLink } from "./mailed-links.ts";
import { type Asking, networkLimit } from "./network-limit.ts";
import type { AccountParts } from "./parts.ts";
import { about, post } from "./post.ts";
import type { Acting } from "./proof.ts";

/** Mails a new link that confirms the account's address. */
export async function askForVerification(
  parts: AccountParts,
  acting: Acting,
  asking: Asking,
  now: number,
): Promise<Outcome> {
  if (acting.emailVerifiedAt !== null) return refuse("already_verified");
  const tooMany = await parts.attempts.take(
    [
      // By the address: an account that is made anew for somebody else's brings no fresh tries.
      { kind: "mail", of: `verify:${readEmailAddress(acting.email)?.key ?? acting.email}` },
      await networkLimit(parts, "mail_network", asking, { id: acting.accountId }),
    ],
    now,
  );
  if (tooMany) return tooMany;
  const letter = await parts.database.write(async (write) => {
    const account = await holdAccount(write, acting.accountId);
    if (!account || account.email_verified_at !== null) return null;
    const { id: accountId, email, email_key: emailKey } = account;
    const link = await makeLink(parts, write, { kind: "verify_address", accountId, email, emailKey }, now);
    return {
      to: email,
      message: messages.verifyAddress({ ...about(parts, email, now, acting.label), link }),
    };
  });
  if (letter === null) return refuse("already_verified");
  post(parts, [letter]);
  return { ok: true };
}

/** Takes a mailed confirmation, of the address that the account has or of the one that it changes to. */
export async function confirmEmail(
  parts: AccountParts,
  token: string,
  visitor: Visitor,
  now: number,
): Promise<Outcome> {
  const link = await findLink(parts.database, ["verify_address", "confirm_email"], token, now);
  if (!link?.account_id) return refuse("link_expired");
  if (link.kind === "confirm_email")
    return confirmEmailChange(parts, { ...link, account_id: link.account_id }, token, visitor, now);
  return verifyAddress(parts, { ...link, account_id: link.account_id }, token, visitor, now);
}

async function verifyAddress(
  parts: AccountParts,
  link: MailedLink & { account_id: string },
  token: string,
  visitor: Visitor,
  now: number,
): Promise<Outcome> {
  const verified = await parts.database.write(async (write) => {
    const account = await holdAccount(write, link.account_id);
    if (!(await takeLink(write, ["verify_address"], token, now))) return false;
    if (account?.email_key !== link.email_key) return false;
    if (account.email_verified_at !== null) return true;
    // Who confirms in a strange browser may be the address's owner, but not whoever made the account.
    const isKnown = await isKnownDevice(write.query, account.id, hashToken(visitor.deviceToken));
    await write.query
      .updateTable("account")
      .set({ email_verified_at: now, confirmed_elsewhere: isKnown ? 0 : 1 })
      .where("id", "=", account.id)
      .execute();
    const { label } = visitor.device;
    await record(write, { accountId: account.id, kind: "email_verified", at: now, label });
    write.announce(account.id);
    return true;
  });
  return verified ? { ok: true } : refuse("link_expired");
}
