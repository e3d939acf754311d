import { sql } from "kysely";
import type { Write } from "../database/database.ts";
import { isUniqueViolation } from "../database/database.ts";
import { record } from "../history/activity.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { endBecauseOf } from "../sessions/endings.ts";
import { DAY } from "../sessions/expiry.ts";
import type { Account } from "../sessions/hold.ts";
import { holdAccount } from "../sessions/hold.ts";
import type { Visitor } from "../sessions/start.ts";
import { makeId } from "../sessions/token.ts";
import { isTaken } from "./account.ts";
import type { EmailAddress } from "./email-address.ts";
import { readEmailAddress } from "./email-address.ts";
import type { MailedLink } from "./mailed-links.ts";
import { makeLink, takeLink } from "./mailed-links.ts";
import type { AccountParts } from "./parts.ts";
import type { Letter } from "./post.ts";
import { about, post } from "./post.ts";
import type { Acting } from "./proof.ts";
import { holdProved, requireProof } from "./proof.ts";
import type { SecondFactor } from "./second-factor.ts";

/** How long a confirmed change can be taken back, in ms. */
export const TAKEN_BACK_WITHIN = 7 * DAY;

/**
 * Asks to change the address: a link to the new one, a notice to the old one with a link that cancels.
 * Nothing else happens before the new address is confirmed. A taken address gets the same answer.
 */
export async function askForEmailChange(
  parts: AccountParts,
  acting: Acting,
  asked: SecondFactor & { email: string; currentPassword?: string | undefined; network: string | null },
  now: number,
): Promise<Outcome> {
  const address = readEmailAddress(asked.email);
  if (!address) return refuse("invalid_email");
  const proof = await requireProof(parts, acting, { ...asked, named: true }, "both", now);
  if (!proof.ok) return proof;
  if (address.key === proof.account.email_key)
    return refuse("invalid_email", "That is your address already.");
  const tooMany = await parts.attempts.take(
    [
      { kind: "mail", of: `change:${acting.accountId}` },
      { kind: "mail_network", of: asked.network },
    ],
    now,
  );
  if (tooMany) return tooMany;
  const done = await parts.database.write(async (write) => {
    const held = await holdProved(write, acting, proof.account);
    if (!held.ok) return held;
    return {
      ok: true as const,
      letters: await beginChange(parts, write, { account: held.account, acting, address }, now),
    };
  });
  if (!done.ok) return done;
  post(parts, done.letters);
  return { ok: true };
}

async function beginChange(
  parts: AccountParts,
  write: Write,
  change: { account: Account; acting: Acting; address: EmailAddress },
  now: number,
): Promise<Letter[]> {
  const { account, acting, address } = change;
  const taken = await isTaken(write, address.key, account.id, now);
  const ids = { accountId: account.id, changeId: makeId() };
  const detail = { email: address.email };
  await record(write, {
    accountId: account.id,
    kind: "email_change_requested",
    at: now,
    label: acting.label,
    detail,
  });

  const neverProved = account.email_verified_at === null;
  const own = { email: account.email, emailKey: account.email_key, neverProved };
  const keepLink = await makeLink(parts, write, { kind: "keep_email", ...ids, ...own }, now);
  const notice = {
    ...about(parts, account.email, now, acting.label),
    newEmail: address.email,
    link: keepLink,
  };
  const toOld: Letter = { to: account.email, message: messages.addressChangeAsked(notice) };
  if (taken) {
    const owner = await write.query
      .selectFrom("account")
      .select("email")
      .where("email_key", "=", address.key)
      .executeTakeFirst();
    const to = owner?.email ?? address.email;
    return [toOld, { to, message: messages.addressAlreadyTaken(about(parts, to, now)) }];
  }
  const confirm = { kind: "confirm_email", ...ids, email: address.email, emailKey: address.key } as const;
  const link = await makeLink(parts, write, { ...confirm, sessionId: acting.id }, now);
  const context = { ...about(parts, address.email, now, acting.label), oldEmail: account.email, link };
  return [toOld, { to: address.email, message: messages.confirmNewAddress(context) }];
}

/** The new address is confirmed: the change and the endings (S8) are one transaction; the asking session stays. */
export async function confirmEmailChange(
  parts: AccountParts,
  link: MailedLink & { account_id: string },
  token: string,
  visitor: Visitor,
  now: number,
): Promise<Outcome> {
  const change = async (write: Write): Promise<Letter[] | null> => {
    const account = await holdAccount(write, link.account_id);
    if (!account || !(await takeLink(write, ["confirm_email"], token, now))) return null;
    if (await isTaken(write, link.email_key, account.id, now)) return null;
    const asking = await write.query
      .selectFrom("session")
      .select("label")
      .where("id", "=", link.session_id)
      .executeTakeFirst();
    const by = asking?.label ?? visitor.device.label;
    const exceptId = link.session_id ?? "";
    await endBecauseOf(write, "email_changed", { accountId: account.id, exceptId, by, at: now });
    await moveTo(write, account, link, now);
    await record(write, {
      accountId: account.id,
      kind: "email_changed",
      at: now,
      label: by,
      detail: { email: link.email },
    });
    write.announce(account.id);
    return [await tellOldAddress(parts, write, { account, link, by }, now)];
  };
  const letters = await parts.database.write(change).catch((error: unknown) => {
    if (isUniqueViolation(error)) return null;
    throw error;
  });
  if (letters === null) return refuse("link_expired");
  post(parts, letters);
  return { ok: true };
}

async function moveTo(write: Write, account: Account, link: MailedLink, now: number): Promise<void> {
  await write.query
    .updateTable("account")
    .set({
      email: link.email,
      email_key: link.email_key,
      email_verified_at: now,
      confirmed_elsewhere: 0,
      credential_version: sql`credential_version + 1`,
    })
    .where("id", "=", account.id)
    .execute();
  await write.query
    .updateTable("mailed_link")
    .set({ confirmed_at: now, expires_at: now + TAKEN_BACK_WITHIN })
    .where("account_id", "=", account.id)
    .where("kind", "=", "keep_email")
    .where("change_id", "=", link.change_id)
    .execute();
}

/** The old address hears that it happened, with a link of the same change that takes it back. */
async function tellOldAddress(
  parts: AccountParts,
  write: Write,
  change: { account: Account; link: MailedLink; by: string },
  now: number,
): Promise<Letter> {
  const { account, link, by } = change;
  const neverProved = account.email_verified_at === null;
  const own = { accountId: account.id, email: account.email, emailKey: account.email_key, neverProved };
  const ofChange = link.change_id === null ? {} : { changeId: link.change_id };
  const keepLink = await makeLink(
    parts,
    write,
    { kind: "keep_email", ...own, ...ofChange, confirmedAt: now },
    now,
  );
  const context = { ...about(parts, account.email, now, by), newEmail: link.email, link: keepLink };
  return { to: account.email, message: messages.addressChanged(context) };
}
