import type { Kysely } from "kysely";
import { type Confirmation, type RefusalFacts, UNKNOWN_DEVICE } from "../answers.ts";
import { findAccount } from "../credentials/account.ts";
import { readEmailAddress } from "../credentials/email-address.ts";
import { type AccountLink, type EmailedLink, findAccountLink } from "../credentials/emailed-links.ts";
import { networkLimit } from "../credentials/limits/network-limit.ts";
import { methodsOf } from "../credentials/login-method-list.ts";
import { ALWAYS, removeEverything } from "../credentials/ownership.ts";
import type { Visit } from "../credentials/parts.ts";
import { hasTwoFactor } from "../credentials/second-factor.ts";
import { changeByLink, resetEmail, verificationEmail } from "../credentials/security-change.ts";
import { writeEmails } from "../credentials/send-emails.ts";
import { type Account, lockAccount } from "../database/lock.ts";
import type { LinkKind, Schema } from "../database/schema.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { isKnownDevice } from "../sessions/known-device.ts";
import type { ClientInfo } from "../sessions/start.ts";
import { hashToken } from "../sessions/token.ts";
import { confirmEmailChange } from "./email-change.ts";
import type { Acting, CurrentSession } from "./proof.ts";

/** Emails a new link that confirms the account's address. */
export async function askForVerification(acting: Acting, asking: ClientInfo): Promise<Outcome> {
  const { parts, current, now } = acting;
  if (current.emailVerifiedAt !== null) return refuse("already_verified");
  const tooMany = await parts.attempts.take(
    [
      // Counted by address, so that deleting and recreating the account doesn't reset the count.
      { kind: "email", of: `verify:${readEmailAddress(current.email)?.key ?? current.email}` },
      await networkLimit(parts, "email_network", asking, { id: current.accountId }),
    ],
    now,
  );
  if (tooMany) return tooMany;
  return parts.database.write(async (write) => {
    const account = await lockAccount(write, current.accountId);
    if (!account || account.email_verified_at !== null) return refuse("already_verified");
    const email = await verificationEmail(parts, write, account, now, current.label);
    await writeEmails(parts, write, [email], now);
    return { ok: true };
  });
}

const CONFIRMATIONS: LinkKind[] = ["verify_address", "confirm_email"];

/** A visit with a confirmation link: with the request's session, or why there is none. */
export type ConfirmingVisit = Visit & { current: CurrentSession | null; signedOut: RefusalFacts };

/** What a link would confirm; `createdAt` in ms. */
type Preview = Omit<Confirmation, "createdAt"> & { createdAt: number };

/**
 * Tells what a link would confirm; changes nothing. For a change of address, only the account's own browsers
 * are told about its login methods and 2FA: the link may have gone to a mistyped address.
 */
export async function previewConfirmation(
  visit: ConfirmingVisit,
  token: string,
): Promise<Outcome<{ confirmation: Preview }>> {
  const { parts, now } = visit;
  const link = await findAccountLink(parts.database, CONFIRMATIONS, token, now);
  const account = link && (await findAccount(parts.database, link.account_id));
  if (!account) return refuse("link_expired");
  const { read } = parts.database;
  const known = await isOwnBrowser(read, account, visit);
  const isChange = link.kind === "confirm_email";
  const isShown = known || !isChange;
  const methods = isShown ? await methodsOf(parts, read, account) : [];
  const confirmation: Preview = {
    kind: isChange ? "change" : "new_account",
    email: link.email,
    createdAt: isChange ? link.created_at : account.created_at,
    label: (isChange ? link.label : account.created_label) ?? UNKNOWN_DEVICE,
    twoFactor: isShown && (await hasTwoFactor({ query: read }, account.id)),
    methods: methods.flatMap(({ kind, name }) => (kind === "password" ? [] : [{ kind, name }])),
    known,
  };
  return { ok: true, confirmation };
}

async function isOwnBrowser(
  query: Kysely<Schema>,
  account: Account,
  { current, clientInfo }: ConfirmingVisit,
): Promise<boolean> {
  if (current?.accountId === account.id) return true;
  return isKnownDevice(query, account.id, hashToken(clientInfo.deviceToken));
}

/**
 * Uses a confirmation link, for the account's address or for a new one. `mine` is the answer to "Is this your
 * account?", which the page asks in browsers that the account doesn't know.
 */
export async function confirmEmail(
  visit: ConfirmingVisit,
  given: { token: string; mine: boolean },
): Promise<Outcome> {
  const { parts, current, now } = visit;
  const link = await findAccountLink(parts.database, CONFIRMATIONS, given.token, now);
  if (!link) return refuse("link_expired");
  if (link.kind === "verify_address")
    return given.mine ? verifyAddress(visit, link) : disownAccount(visit, link);
  if (current === null)
    return refuse("signed_out", "Log in to the account whose address this changes.", visit.signedOut);
  if (current.accountId !== link.account_id) return refuse("other_account");
  return confirmEmailChange({ parts, current, now }, link);
}

async function verifyAddress(visit: ConfirmingVisit, found: AccountLink): Promise<Outcome> {
  const { now } = visit;
  return changeByLink(visit, found, async (write, account, link) => {
    if (!isUnconfirmed(account, link)) return null;
    const isOwn = await isOwnBrowser(write.query, account, visit);
    await write.query
      .updateTable("account")
      .set({ email_verified_at: now, owner_since: isOwn ? ALWAYS : now })
      .where("id", "=", account.id)
      .execute();
    // The page said that 2FA is on, so the owner has accepted it: a reset won't remove it (S10, S14).
    await write.query
      .updateTable("two_factor")
      .set({ accepted_at: now })
      .where("account_id", "=", account.id)
      .where("confirmed_at", "is not", null)
      .execute();
    return { recorded: { kind: "email_verified" } };
  });
}

/** "I didn't create it": removes every login method that somebody set up, and begins a password reset. */
async function disownAccount(visit: Visit, found: AccountLink): Promise<Outcome> {
  const { parts, clientInfo, now } = visit;
  const { label } = clientInfo.device;
  return changeByLink(visit, found, async (write, account, link) => {
    if (!isUnconfirmed(account, link)) return null;
    return {
      ends: { event: "account_disowned", of: { accountId: account.id } },
      afterEndings: () => removeEverything(parts, write, account, { label, now }),
      newCredentials: true,
      emails: async () => [await resetEmail(parts, write, account, messages.secureAccount, { label, now })],
    };
  });
}

/** Whether the address is still the account's and unconfirmed; if not, the link should already be gone. */
function isUnconfirmed(account: Account, link: EmailedLink): boolean {
  return account.email_key === link.email_key && account.email_verified_at === null;
}
