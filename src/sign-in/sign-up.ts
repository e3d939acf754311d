import { addAccount, findAccountByEmail, reservedAddresses } from "../credentials/account.ts";
import { type EmailAddress, readEmailAddress } from "../credentials/email-address.ts";
import { type EmailedLink, findLink, makeLink, redeemLink } from "../credentials/emailed-links.ts";
import type { Visit } from "../credentials/parts.ts";
import { acceptRegistration } from "../credentials/passkeys/passkeys.ts";
import { storePasskey } from "../credentials/passkeys/stored-passkeys.ts";
import { hashNewPassword } from "../credentials/passwords/new-password.ts";
import { verificationEmail } from "../credentials/security-change.ts";
import { emailContext, writeEmails } from "../credentials/send-emails.ts";
import type { Write } from "../database/database.ts";
import { lockName } from "../database/lock.ts";
import * as messages from "../mail/messages.ts";
import { type Outcome, refuse } from "../refusals.ts";
import { type Started, startSession } from "../sessions/start.ts";

export type SignedUp = Outcome<{ started: Started }>;

/**
 * Creates an account and signs in to it. With `verify-first` it only emails a link, and `started` is null;
 * answer and response time are then the same whether the address is known or not.
 */
export async function signUp(
  visit: Visit,
  asked: { email: string; password: string },
): Promise<Outcome<{ started: Started | null }>> {
  const { parts, clientInfo, now } = visit;
  if (parts.settings.signUp === "closed") return refuse("sign_up_closed");
  const address = readEmailAddress(asked.email);
  if (!address) return refuse("invalid_email");
  if (parts.settings.signUp === "verify-first") return sendSignUpLink(visit, address);

  const limit = { kind: "sign_up_network", ...clientInfo.network } as const;
  const first = await hashNewPassword(parts, { password: asked.password, email: address.email, limit }, now);
  return first.ok ? openAccount(visit, { address, verified: false, first }) : first;
}

/** The second half of a `verify-first` sign-up, with the emailed link and a newly chosen password. */
export async function finishSignUp(
  visit: Visit,
  asked: { token: string; password: string },
): Promise<SignedUp> {
  const { parts, now } = visit;
  // Sign-up may have been closed since the link was sent.
  if (parts.settings.signUp === "closed")
    return refuse("link_expired", "New accounts can't be created here.");
  const link = await findLink(parts.database, ["sign_up"], asked.token, now);
  if (!link) return refuse("link_expired");
  const address = { email: link.email, key: link.email_key };
  const limit = { kind: "new_password", of: asked.token } as const;
  const first = await hashNewPassword(parts, { password: asked.password, email: link.email, limit }, now);
  if (!first.ok) return first;
  const opened = await openAccount(visit, { address, verified: true, first, link });
  // If the address has an account by now, the link is of no use any more.
  return opened.ok ? opened : refuse("link_expired");
}

/**
 * A sign-up without a password: the passkey that was just made for this address is the account's first
 * login method.
 */
export async function signUpWithPasskey(
  visit: Visit,
  asked: { email: string; passkey: unknown; browser: string | null },
): Promise<SignedUp> {
  const { parts, clientInfo, now } = visit;
  if (parts.settings.signUp !== "open") return refuse("sign_up_closed");
  const address = readEmailAddress(asked.email);
  if (!address) return refuse("invalid_email");
  const tooMany = await parts.attempts.take([{ kind: "sign_up_network", ...clientInfo.network }], now);
  if (tooMany) return tooMany;
  const answer = { response: asked.passkey, browser: asked.browser, kind: "sign_up_passkey" } as const;
  const made = await acceptRegistration(parts, answer, now);
  if (!made.ok) return made;
  if (made.data !== address.key)
    return refuse("wrong_passkey", "That passkey was made for another address.", { status: 422 });
  const { label } = clientInfo.device;
  const store: StoreMethod = (write, accountId) =>
    storePasskey(write, accountId, made.passkey, label, now, now);
  return openAccount(visit, { address, verified: false, first: { signedInWith: "passkey", store } });
}

/** A sign-up through a provider; `store` connects the provider's subject to the new account. */
export async function signUpWithProvider(
  visit: Visit,
  asked: { address: EmailAddress; verified: boolean; store: StoreMethod },
): Promise<SignedUp> {
  const { parts, clientInfo, now } = visit;
  if (parts.settings.signUp === "closed") return refuse("sign_up_closed");
  const tooMany = await parts.attempts.take([{ kind: "sign_up_network", ...clientInfo.network }], now);
  if (tooMany) return tooMany;
  const { address, verified, store } = asked;
  return openAccount(visit, { address, verified, first: { signedInWith: "oidc", store } });
}

/** Stores the first login method of a new account, or refuses it. */
type StoreMethod = (write: Write, accountId: string) => Promise<Outcome<{ id: string }>>;

type NewAccount = {
  address: EmailAddress;
  verified: boolean;
  /** The first login method. */
  first: { passwordHash: string } | { signedInWith: "passkey" | "oidc"; store: StoreMethod };
  /** The emailed link to use up, for a `verify-first` sign-up. */
  link?: EmailedLink;
};

async function openAccount(visit: Visit, account: NewAccount): Promise<SignedUp> {
  const { parts, clientInfo, now } = visit;
  const { address, verified, first, link } = account;
  const { label } = clientInfo.device;
  return parts.database
    .write<SignedUp>(async (write) => {
      if (link && !(await redeemLink(write, link, now))) return refuse("link_expired");
      const passwordHash = "passwordHash" in first ? first.passwordHash : null;
      const accountId = await addAccount(
        write,
        { address, passwordHash, verified, label, signsIn: true },
        now,
      );
      if (accountId === null) return refuse("email_taken");
      const method =
        "store" in first ? await first.store(write, accountId) : { ok: true as const, id: "password" };
      if (!method.ok) throw new MethodTaken();
      const methodId = method.id;
      const made = { id: accountId, email: address.email, email_key: address.key };
      if (!verified) await writeEmails(parts, write, [await verificationEmail(parts, write, made, now)], now);
      const signedInWith = "store" in first ? first.signedInWith : "password";
      const passed = { accountId, signedInWith, methodId, bothFactors: false } as const;
      const started = await startSession(visit, write, passed);
      return { ok: true, started };
    })
    .catch((error: unknown) => {
      if (error instanceof MethodTaken) return refuse("method_taken");
      throw error;
    });
}

/** Rolls the transaction back: another account already has this passkey or this provider's subject. */
class MethodTaken extends Error {}

async function sendSignUpLink(visit: Visit, address: EmailAddress): Promise<Outcome<{ started: null }>> {
  const { parts, clientInfo, now } = visit;
  const tooMany = await parts.attempts.take(
    [
      { kind: "sign_up_network", ...clientInfo.network },
      { kind: "email", of: address.key },
    ],
    now,
  );
  if (tooMany) return tooMany;
  parts.afterAnswer(async () => {
    const context = emailContext(parts, address.email, now);
    const known = await findAccountByEmail(parts.database, address.key);
    await parts.database.write(async (write) => {
      if (known) {
        const message = messages.alreadyHasAccount(context);
        return writeEmails(parts, write, [{ to: known.email, message }], now);
      }
      // There is no account to lock yet. With this lock, the newer of two links made at once ends the older.
      await lockName(write, `sign-up ${address.key}`);
      const { email, key: email_key } = address;
      // A sign-up link wouldn't work for a reserved address; its owner has a link to take it back.
      if ((await reservedAddresses(write.query, [email_key], now)).size > 0)
        return writeEmails(parts, write, [{ to: email, message: messages.addressIsKept(context) }], now);
      const link = await makeLink(parts, write, { kind: "sign_up", account_id: null, email, email_key }, now);
      const message = messages.finishSignUp({ ...context, link });
      await writeEmails(parts, write, [{ to: address.email, message }], now);
    });
  });
  return { ok: true, started: null };
}
