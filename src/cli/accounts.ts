import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import {
  createForOperator,
  findForOperator,
  remove,
  resetTwoFactor,
  sendReset,
  suspend,
  unsuspend,
} from "../accounts/operator.ts";
import { iso } from "../http/answers.ts";
import type { HttpParts } from "../http/call.ts";
import type { Account } from "../sessions/hold.ts";
import type { Command, ExitCode, Run } from "./command.ts";
import { Refused } from "./command.ts";
import { LIMIT_FLAG, LIMIT_HELP, readLimit, table } from "./table.ts";
import { orRefused, withLatchkey } from "./with-latchkey.ts";

const json = { json: { type: "boolean" } } as const;
const jsonHelp = { json: "Prints JSON." };

const list: Command = {
  name: "accounts list",
  usage: "",
  summary: "Lists accounts, the oldest first.",
  flags: { ...json, ...LIMIT_FLAG },
  flagHelp: { ...jsonHelp, ...LIMIT_HELP },
  takes: 0,
  run: (run) => withLatchkey(run, ({ parts }) => listAccounts(run, parts)),
};

async function listAccounts({ flags, print, say }: Run, { database }: HttpParts): Promise<ExitCode> {
  const limit = readLimit(flags);
  const rows = await database.read
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
    .orderBy("account.created_at")
    .orderBy("account.id")
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
  if (flags.json) print(JSON.stringify(accounts, null, 2));
  else {
    const yes = (value: boolean) => (value ? "yes" : "no");
    const cells = accounts.map((one) => [
      one.email,
      yes(one.emailVerified),
      yes(one.twoFactor),
      yes(one.suspended),
      one.createdAt,
      one.id,
    ]);
    for (const line of table(["EMAIL", "VERIFIED", "2FA", "SUSPENDED", "CREATED", "ID"], cells)) print(line);
  }
  if (rows.length > limit) say(`There are more; ask for them with --limit.`);
  return 0;
}

const create: Command = {
  name: "accounts create",
  usage: "EMAIL",
  summary: "Creates an account, also where sign-up is closed; its address counts as verified.",
  flags: { ...json, "password-stdin": { type: "boolean" } },
  flagHelp: { ...jsonHelp, "password-stdin": "Reads the password from standard input." },
  takes: 1,
  run: (run) =>
    withLatchkey(run, async ({ parts }) => {
      const [email = ""] = run.arguments;
      const password = run.flags["password-stdin"] ? await readPassword() : await askPassword();
      const { id } = orRefused(await createForOperator(parts, { email, password }, parts.settings.now()));
      run.print(run.flags.json ? JSON.stringify({ id, email }) : `Created ${email}.`);
      return 0;
    }),
};

/** Standard input without its last line break. */
async function readPassword(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}

async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY)
    throw new Refused("There is no terminal to ask for the password. Use --password-stdin.");
  const first = await askHidden("Password: ");
  if (first !== (await askHidden("The same once more: "))) throw new Refused("The two passwords differ.");
  return first;
}

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const answer = await terminal.question("");
  terminal.close();
  process.stderr.write("\n");
  return answer;
}

/** A command about one account that exists. */
function about(
  name: string,
  summary: string,
  act: (parts: HttpParts, account: Account, now: number) => Promise<string>,
): Command {
  return {
    name,
    usage: "EMAIL",
    summary,
    flags: json,
    flagHelp: jsonHelp,
    takes: 1,
    run: (run) =>
      withLatchkey(run, async ({ parts }) => {
        const { account } = orRefused(await findForOperator(parts, run.arguments[0] ?? ""));
        const done = await act(parts, account, parts.settings.now());
        run.print(run.flags.json ? JSON.stringify({ id: account.id, email: account.email, done }) : done);
        return 0;
      }),
  };
}

export const accountCommands: readonly Command[] = [
  list,
  create,
  about(
    "accounts suspend",
    "Ends an account's sessions and lets nobody log in to it.",
    async (parts, account, now) => {
      const ended = await suspend(parts, account, now);
      return `Suspended ${account.email}; ${ended} ${ended === 1 ? "session" : "sessions"} ended.`;
    },
  ),
  about("accounts restore", "Lets the owner of a suspended account log in again.", async (parts, account) => {
    await unsuspend(parts, account);
    return `Restored ${account.email}.`;
  }),
  about("accounts delete", "Deletes an account and all that belongs to it.", async (parts, account, now) => {
    await remove(parts, account, now);
    return `Deleted ${account.email}.`;
  }),
  about("accounts send-reset", "Mails a link to choose a new password.", async (parts, account, now) => {
    await sendReset(parts, account, now);
    return `Mailed a reset link to ${account.email}.`;
  }),
  about(
    "accounts reset-two-factor",
    "Turns 2FA off for who has lost the phone.",
    async (parts, account, now) => {
      orRefused(await resetTwoFactor(parts, account, now));
      return `Two-factor authentication of ${account.email} is off.`;
    },
  ),
];
