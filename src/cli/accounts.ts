import { text } from "node:stream/consumers";
import type { Command } from "commander";
import type { Database } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import { iso } from "../http/answers.ts";
import type { HttpParts } from "../http/call.ts";
import {
  createForOperator,
  findForOperator,
  remove,
  resetTwoFactor,
  sendReset,
  suspend,
  unsuspend,
} from "../operator.ts";
import { givenOptions } from "./given-options.ts";
import { LIMIT_FLAG, type ListFlags, printRows } from "./table.ts";
import { ask, CommandFailed, type JsonFlag, many, printResult, say } from "./terminal.ts";
import { orRefused, withLatchkey } from "./with-latchkey.ts";

export function addAccounts(program: Command): void {
  const accounts = program.command("accounts").description("Lists, creates and changes accounts.");
  accounts
    .command("list")
    .description("Lists accounts, sorted by email address.")
    .option(...LIMIT_FLAG)
    .action((flags: ListFlags) => withLatchkey((parts) => listAccounts(parts, flags)));
  accounts
    .command("create <EMAIL>")
    .description("Creates an account, even if sign-up is closed; its address counts as verified.")
    .option("--password-stdin", "Reads the password from standard input.")
    .action(createAccount);
  addChange(accounts, "suspend", "Ends an account's sessions and lets nobody log in to it.", suspendAccount);
  addChange(
    accounts,
    "restore",
    "Lets the owner of a suspended account log in again.",
    async (parts, account) => {
      await unsuspend(parts, account);
      return `Restored ${account.email}.`;
    },
  );
  addChange(
    accounts,
    "delete",
    "Deletes an account and everything that belongs to it.",
    deleteAccount,
  ).option("--yes", "Doesn't ask for the address again on a terminal.");
  addChange(
    accounts,
    "send-reset",
    "Emails a link to choose a new password.",
    async (parts, account, { now }) => {
      const { baseUrl } = await givenOptions();
      if (baseUrl === undefined) say(unsureLink(parts.settings.baseUrl.href));
      await sendReset(parts, account, now);
      return `A reset link for ${account.email} is on its way.`;
    },
  );
  addChange(
    accounts,
    "reset-two-factor",
    "Turns off two-factor authentication for someone who has lost their phone.",
    async (parts, account, { now }) => {
      orRefused(await resetTwoFactor(parts, account, now));
      return `Two-factor authentication of ${account.email} is off.`;
    },
  );
}

/** Without BASE_URL the link assumes the default address, which is wrong for an app that sets `baseUrl` in code. */
function unsureLink(href: string): string {
  return `BASE_URL is not set: the link leads to ${href}. For an app of yours, put its baseUrl into latchkey.config.js in this folder.`;
}

/** Sorts as an index does: the first hundred rows come without reading or sorting millions of others. */
export function readAccounts({ read }: Database) {
  return read
    .selectFrom("account")
    .leftJoin("two_factor", "two_factor.account_id", "account.id")
    .select([
      "account.id",
      "email",
      "email_verified_at",
      "suspended_at",
      "account.created_at",
      "confirmed_at",
    ])
    .orderBy("email_key");
}

async function listAccounts({ database }: HttpParts, { limit, json }: ListFlags): Promise<void> {
  const rows = await readAccounts(database)
    .limit(limit + 1)
    .execute();
  const accounts = rows.slice(0, limit).map((row) => ({
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified_at !== null,
    twoFactor: row.confirmed_at !== null,
    suspended: row.suspended_at !== null,
    createdAt: iso(row.created_at),
  }));
  const yes = (value: boolean) => (value ? "yes" : "no");
  const heads = ["EMAIL", "VERIFIED", "2FA", "SUSPENDED", "CREATED", "ID"];
  const cells = (one: (typeof accounts)[number]) => [
    one.email,
    yes(one.emailVerified),
    yes(one.twoFactor),
    yes(one.suspended),
    one.createdAt,
    one.id,
  ];
  printRows(accounts, { heads, cells }, { json, hasMore: rows.length > limit });
}

type CreateFlags = JsonFlag & { passwordStdin?: true };

function createAccount(email: string, flags: CreateFlags): Promise<void> {
  const work = async (parts: HttpParts) => {
    const password = flags.passwordStdin
      ? (await text(process.stdin)).replace(/\r?\n$/, "")
      : await askPassword();
    const { id } = orRefused(await createForOperator(parts, { email, password }, parts.settings.now()));
    printResult(flags, { id, email }, `Created ${email}.`);
  };
  return withLatchkey(work, { creates: true });
}

async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY)
    throw new CommandFailed("There is no terminal to ask for the password. Use --password-stdin.");
  const first = await ask("Password: ", { hidden: true });
  if (first === (await ask("Repeat the password: ", { hidden: true }))) return first;
  throw new CommandFailed("The two passwords differ.");
}

type ChangeFlags = JsonFlag & { yes?: true };
/** Changes an account, and returns the sentence that says so. */
type Change = (
  parts: HttpParts,
  account: Account,
  how: { now: number; flags: ChangeFlags },
) => Promise<string>;

/** Adds a command that changes one existing account. */
function addChange(accounts: Command, name: string, summary: string, change: Change): Command {
  return accounts
    .command(`${name} <EMAIL>`)
    .description(summary)
    .action((email: string, flags: ChangeFlags) =>
      withLatchkey(async (parts) => {
        const { account } = orRefused(await findForOperator(parts, email));
        const done = await change(parts, account, { now: parts.settings.now(), flags });
        printResult(flags, { id: account.id, email: account.email, done }, done);
      }),
    );
}

const suspendAccount: Change = async (parts, account, { now }) => {
  const ended = await suspend(parts, account, now);
  return `Suspended ${account.email}; ${many(ended, "session")} ended.`;
};

const deleteAccount: Change = async (parts, account, { now, flags }) => {
  const { email } = account;
  if (process.stdin.isTTY && !flags.yes) {
    const typed = await ask(`To delete ${email} and everything that belongs to it, type the address again: `);
    if (typed.trim().toLowerCase() !== email.toLowerCase())
      throw new CommandFailed("That is not the address. Nothing was deleted.");
  }
  await remove(parts, account, now);
  return `Deleted ${email}.`;
};
