import type { Kysely } from "kysely";
import type { Confirmation, RefusalFacts } from "../answers.ts";
import { findAccount } from "../credentials/account.ts";
import { readEmailAddress } from "../credentials/email-address.ts";
import { findLink, makeLink } from "../credentials/emailed-links.ts";
import { type Asking, networkLimit } from "../credentials/limits/network-limit.ts";
import { methodsOf } from "../credentials/login-method-list.ts";
import { ALWAYS, removeEverything } from "../credentials/ownership.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { hasTwoFactor } from "../credentials/second-factor.ts";
import { changeByLink, resetEmail } from "../credentials/security-change.ts";
import { emailContext, sendEmails, writeEmails } from "../credentials/send-emails.ts";
import type { Account } from "../database/lock.ts";
import { lockAccount } from "../database/lock.ts";
import type { Schema } from "../database/schema.ts";
import * as messages from "../mail/messages.ts";
import type { Outcome } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { isKnownDevice } from "../sessions/known-device.ts";
import type { ClientInfo } from "../sessions/start.ts";
import { hashToken } from "../sessions/token.ts";
import { confirmEmailChange } from "./email-change.ts";
import type { Acting, CurrentSession } from "./proof.ts";

/** Emails a new link that confirms the account's address. */
export async function askForVerification(acting: Acting, asking: Asking): Promise<Outcome> {
  const { parts, current, now } = acting;
  if (current.emailVerifiedAt !== null) return refuse("already_verified");
  const tooMany = await parts.attempts.take(
    [
      // By the address: an account that is made anew for somebody else's brings no fresh tries.
      { kind: "email", of: `verify:${readEmailAddress(current.email)?.key ?? current.email}` },
      await networkLimit(parts, "email_network", asking, { id: current.accountId }),
    ],
    now,
  );
  if (tooMany) return tooMany;
  const written = await parts.database.write(async (write) => {
    const account = await lockAccount(write, current.accountId);
    if (!account || account.email_verified_at !== null) return null;
    const { id: accountId, email, email_key: emailKey } = account;
    const link = await makeLink(parts, write, { kind: "verify_address", accountId, email, emailKey }, now);
    const message = messages.verifyAddress({ ...emailContext(parts, email, now, current.label), link });
    return writeEmails(parts, write, [{ to: email, message }], now);
  });
  if (written === null) return refuse("already_verified");
  sendEmails(parts, written);
  return { ok: true };
}

/** Who opens a confirmation link: the request's own session, where it has one, and the browser. */
export type Confirmer = { current: CurrentSession | null; signedOut: RefusalFacts; clientInfo: ClientInfo };

/** What a link would confirm, with its time in ms. */
type Preview = Omit<Confirmation, "createdAt"> & { createdAt: number };

/**
 * What a link would confirm; changes nothing. Of a change of address, what the account holds is told to its
 * own browsers alone: the link may have gone to a mistyped address.
 */
export async function previewConfirmation(
  parts: AccountParts,
  token: string,
  by: Confirmer,
  now: number,
): Promise<Outcome<{ confirmation: Preview }>> {
  const link = await findLink(parts.database, ["verify_address", "confirm_email"], token, now);
  const account = link?.account_id ? await findAccount(parts.database, link.account_id) : undefined;
  if (!link || !account) return refuse("link_expired");
  const { read } = parts.database;
  const known = await isOwnBrowser(read, account, by);
  const isChange = link.kind === "confirm_email";
  const tells = known || !isChange;
  const methods = tells ? await methodsOf(parts, read, account) : [];
  const confirmation: Preview = {
    kind: isChange ? "change" : "new_account",
    email: link.email,
    createdAt: isChange ? link.created_at : account.created_at,
    label: (isChange ? link.label : account.created_label) ?? "Unknown device",
    twoFactor: tells && (await hasTwoFactor({ query: read }, account.id)),
    methods: methods.flatMap(({ kind, name }) => (kind === "password" ? [] : [{ kind, name }])),
    known,
  };
  return { ok: true, confirmation };
}

async function isOwnBrowser(
  query: Kysely<Schema>,
  account: Account,
  { current, clientInfo }: Confirmer,
): Promise<boolean> {
  if (current?.accountId === account.id) return true;
  return isKnownDevice(query, account.id, hashToken(clientInfo.deviceToken));
}

/**
 * Takes an emailed confirmation, of the address that the account has or of the one that it changes to. `mine`
 * is the answer to "Is this your account?", which a browser that the account doesn't know is asked.
 */
export async function confirmEmail(
  parts: AccountParts,
  given: { token: string; mine: boolean },
  by: Confirmer,
  now: number,
): Promise<Outcome> {
  const { token, mine } = given;
  const found = await findLink(parts.database, ["verify_address", "confirm_email"], token, now);
  if (!found?.account_id) return refuse("link_expired");
  const link = { ...found, account_id: found.account_id };
  if (link.kind === "verify_address") {
    const { label } = by.clientInfo.device;
    const redeemed = { kind: link.kind, token, accountId: link.account_id, label };
    return mine ? verifyAddress(parts, redeemed, by, now) : disownAccount(parts, redeemed, now);
  }
  if (by.current === null)
    return refuse("signed_out", "Log in to the account whose address this changes.", by.signedOut);
  if (by.current.accountId !== link.account_id) return refuse("other_account");
  return confirmEmailChange({ parts, current: by.current, now }, link, token);
}

type RedeemedLink = { kind: "verify_address"; token: string; accountId: string; label: string };

async function verifyAddress(
  parts: AccountParts,
  redeemed: RedeemedLink,
  by: Confirmer,
  now: number,
): Promise<Outcome> {
  return changeByLink(parts, redeemed, now, async (write, account, link) => {
    if (account.email_key !== link.email_key) return null;
    if (account.email_verified_at !== null) return { ok: true, answer: {} };
    const isOwn = await isOwnBrowser(write.query, account, by);
    await write.query
      .updateTable("account")
      .set({ email_verified_at: now, owner_since: isOwn ? ALWAYS : now })
      .where("id", "=", account.id)
      .execute();
    // The page said that 2FA is on: from now on it is the owner's, and no reset takes it off (S10, S14).
    await write.query
      .updateTable("two_factor")
      .set({ accepted_at: now })
      .where("account_id", "=", account.id)
      .where("confirmed_at", "is not", null)
      .execute();
    return { ok: true, recorded: { kind: "email_verified" }, answer: {} };
  });
}

/** "I didn't create it": nothing that somebody set up there opens the account any more, and a reset begins. */
async function disownAccount(parts: AccountParts, redeemed: RedeemedLink, now: number): Promise<Outcome> {
  return changeByLink(parts, redeemed, now, async (write, account, link) => {
    if (account.email_key !== link.email_key || account.email_verified_at !== null) return null;
    return {
      ok: true,
      ends: { event: "account_disowned", of: { accountId: account.id } },
      afterEndings: () => removeEverything(parts, write, account),
      newCredentials: true,
      emails: async () => [await resetEmail(parts, write, account, redeemed.label, now)],
      answer: {},
    };
  });
}
