import { setImmediate as nextTurn } from "node:timers/promises";
import { deleteAccount } from "./changes/close-account.ts";
import { addAccount, findAccountByEmail } from "./credentials/account.ts";
import { readEmailAddress } from "./credentials/email-address.ts";
import type { AccountParts } from "./credentials/parts.ts";
import { hashNewPassword } from "./credentials/passwords/new-password.ts";
import { hasTwoFactor, removeTwoFactor } from "./credentials/second-factor.ts";
import { carryOut, type SecurityChange } from "./credentials/security-change.ts";
import type { Database, Write } from "./database/database.ts";
import { type Account, lockAccount, lockAccounts } from "./database/lock.ts";
import { ADMINISTRATOR } from "./history/actor.ts";
import * as messages from "./mail/messages.ts";
import { sendResetEmail } from "./recovery/password-reset.ts";
import { type Outcome, refuse } from "./refusals.ts";
import { endBecauseOf, endLinksOfNobody } from "./sessions/endings.ts";
import { expiredAt } from "./sessions/expiry.ts";

/** The actor's name as shown to the account's owner. */
export const OPERATOR = ADMINISTRATOR.name;

/** Finds the account with an address, or returns a refusal. */
export async function findForOperator(
  parts: AccountParts,
  email: string,
): Promise<Outcome<{ account: Account }>> {
  const address = readEmailAddress(email);
  const account = address ? await findAccountByEmail(parts.database, address.key) : undefined;
  return account
    ? { ok: true, account }
    : refuse("not_found", `There is no account with the address ${email}.`);
}

/**
 * Creates an account, even if sign-up is closed. The operator vouches for the address: it counts as verified.
 */
export async function createForOperator(
  parts: AccountParts,
  asked: { email: string; password: string },
  now: number,
): Promise<Outcome<{ id: string }>> {
  const address = readEmailAddress(asked.email);
  if (!address) return refuse("invalid_email");
  const chosen = { password: asked.password, email: address.email, limit: null };
  const hashed = await hashNewPassword(parts, chosen, now);
  if (!hashed.ok) return hashed;
  const account = { address, passwordHash: hashed.passwordHash, verified: true, label: OPERATOR };
  const id = await parts.database.write((write) => addAccount(write, account, now));
  return id === null ? refuse("email_taken") : { ok: true, id };
}

/** Suspends an account: nobody can log in to it, and all its sessions end. Returns how many ended. */
export async function suspend(parts: AccountParts, { id }: Account, now: number): Promise<number> {
  const ended = await changeByAdministrator(parts, id, now, async ({ query }) => {
    await query.updateTable("account").set({ suspended_at: now }).where("id", "=", id).execute();
    const ends = { event: "account_closed", of: { accountId: id } } as const;
    return { ends, newCredentials: true };
  });
  return ended ?? 0;
}

/** Lets the owner of a suspended account log in again. */
export async function unsuspend(parts: AccountParts, account: Account): Promise<void> {
  await parts.database.write(({ query }) =>
    query.updateTable("account").set({ suspended_at: null }).where("id", "=", account.id).execute(),
  );
}

/** Deletes an account and all that belongs to it. */
export async function remove(parts: AccountParts, { id }: Account, now: number): Promise<void> {
  await changeByAdministrator(parts, id, now, async (write) => ({
    ends: { event: "account_closed", of: { accountId: id } },
    afterEndings: () => deleteAccount(write, id),
  }));
}

/** Emails a reset link to the owner. */
export async function sendReset(parts: AccountParts, account: Account, now: number): Promise<void> {
  await sendResetEmail(parts, account, OPERATOR, now);
}

/** Turns 2FA off for an owner who has lost their phone; pending sign-ins end. */
export async function resetTwoFactor(parts: AccountParts, { id }: Account, now: number): Promise<Outcome> {
  const done = await changeByAdministrator(parts, id, now, async (write) => {
    if (!(await hasTwoFactor(write, id))) return null;
    await removeTwoFactor(write, id);
    return {
      ends: { event: "two_factor_reset", of: { accountId: id } },
      newCredentials: true,
      recorded: { kind: "two_factor_off", detail: { by: OPERATOR } },
      notice: (context) => messages.twoFactorTurnedOff({ ...context, by: OPERATOR }),
    };
  });
  return done === null ? refuse("not_on") : { ok: true };
}

/** Returns how many sessions ended; null if there was nothing to change. */
async function changeByAdministrator(
  parts: AccountParts,
  accountId: string,
  now: number,
  change: (write: Write) => Promise<SecurityChange | null>,
): Promise<number | null> {
  const by = { actor: ADMINISTRATOR, sessionId: null };
  return parts.database.write(async (write) => {
    const account = await lockAccount(write, accountId);
    const changed = account && (await change(write));
    return changed ? carryOut(parts, write, account, changed, by, now) : null;
  });
}

const ACCOUNTS_A_BATCH = 200;

/**
 * Ends every session of every account, as well as pending sign-ins and emailed links. Works in batches of
 * accounts and locks them, so that a session whose token is being renewed ends, too. Reports after each batch
 * how many sessions have ended so far, and returns the total.
 */
export async function endEveryone(
  { database }: Pick<AccountParts, "database">,
  now: number,
  progress: (ended: number) => void = () => {},
): Promise<number> {
  const doer = { by: ADMINISTRATOR, at: now };
  let ended = 0;
  for (const table of ["pending_sign_in", "emailed_link", "session"] as const) {
    for await (const accountIds of accountsIn(database, table)) {
      ended += await database.write(async (write) => {
        await lockAccounts(write, accountIds);
        return endBecauseOf(write, "everyone_logged_out", { accountIds }, doer, expiredAt(now));
      });
      progress(ended);
      // SQLite works in this thread: without a pause, a signal would be handled only at the end.
      await nextTurn();
    }
  }
  await database.write(endLinksOfNobody);
  return ended;
}

/** The ids of the accounts with rows in a table, in batches. */
async function* accountsIn({ read }: Database, table: "pending_sign_in" | "emailed_link" | "session") {
  for (let after: string | undefined = ""; after !== undefined; ) {
    const rows = await read
      .selectFrom(table)
      .select("account_id as accountId")
      .distinct()
      .where("account_id", ">", after)
      .orderBy("account_id")
      .limit(ACCOUNTS_A_BATCH)
      .execute();
    const accountIds: string[] = rows.flatMap(({ accountId }) => accountId ?? []);
    if (accountIds.length > 0) yield accountIds;
    after = accountIds.at(-1);
  }
}
