import type { Command } from "commander";
import { ADMINISTRATOR } from "../history/actor.ts";
import { iso } from "../http/answers.ts";
import type { HttpParts } from "../http/call.ts";
import { findForOperator } from "../operator.ts";
import { endAny, endInTransaction } from "../sessions/log-out.ts";
import type { SessionParts } from "../sessions/parts.ts";
import { endEveryoneShown } from "./end-everyone.ts";
import { LIMIT_FLAG, type ListFlags, printRows } from "./table.ts";
import { CommandFailed, type JsonFlag, many, printResult, UsageError } from "./terminal.ts";
import { orRefused, withLatchkey } from "./with-latchkey.ts";

export function addSessions(program: Command): void {
  const sessions = program.command("sessions").description("Lists and ends sessions.");
  sessions
    .command("list")
    .description("Lists live sessions, the newest first; those of one account, last used first.")
    .option("--account <EMAIL>", "Only those of the account with this email address.")
    .option(...LIMIT_FLAG)
    .action((flags: ListFlags & { account?: string }) => withLatchkey((parts) => listAll(parts, flags)));
  sessions
    .command("end <ID>")
    .description("Ends one session; its device is logged out at its next request.")
    .action((id: string, flags: JsonFlag) => withLatchkey((parts) => endOne(parts, id, flags)));
  sessions
    .command("end-all")
    .description("Ends every session of an account, or of everyone.")
    .option("--account <EMAIL>", "Those of the account with this email address.")
    .option("--everyone", "Those of all accounts.")
    .action(endAll);
}

async function listAll(parts: HttpParts, flags: ListFlags & { account?: string }): Promise<void> {
  const { limit, json, account: email } = flags;
  const rows = email === undefined ? readNewest(parts) : await readOf(parts, email);
  const found = await rows.limit(limit + 1).execute();
  const sessions = found.slice(0, limit).map((session) => ({
    ...session,
    createdAt: iso(session.createdAt),
    lastUsedAt: iso(session.lastUsedAt),
    expiresAt: iso(session.expiresAt),
  }));
  const heads = ["DEVICE", "EMAIL", "SIGNED IN", "LAST USED", "ID"];
  const cells = (one: (typeof sessions)[number]) => [
    one.label,
    one.email,
    one.createdAt,
    one.lastUsedAt,
    one.id,
  ];
  printRows(sessions, { heads, cells }, { json, hasMore: found.length > limit });
}

/** Sorts by expiry, which follows the sign-in and has an index: the first hundred rows come without a full sort. */
export function readNewest(parts: SessionParts) {
  return readLive(parts).orderBy("expires_at", "desc").orderBy("session.id");
}

async function readOf(parts: HttpParts, email: string) {
  const { account } = orRefused(await findForOperator(parts, email));
  return readLive(parts)
    .where("account.id", "=", account.id)
    .orderBy("last_used_at", "desc")
    .orderBy("session.id");
}

/** The same rule as `overByTime`, in SQL. */
function readLive({ database, settings }: SessionParts) {
  const now = settings.now();
  const { idleTimeout } = settings;
  const rows = database.read
    .selectFrom("session")
    .innerJoin("account", "account.id", "session.account_id")
    .select([
      "session.id",
      "account.email",
      "label",
      "browser",
      "os",
      "session.created_at as createdAt",
      "last_used_at as lastUsedAt",
      "expires_at as expiresAt",
      "signed_in_with as signedInWith",
    ])
    .where("expires_at", ">", now);
  return idleTimeout === null ? rows : rows.where("last_used_at", ">", now - idleTimeout);
}

async function endOne(parts: HttpParts, id: string, flags: JsonFlag): Promise<void> {
  const doer = { by: ADMINISTRATOR, at: parts.settings.now() };
  if (!(await endAny(parts, id, doer))) throw new CommandFailed(`There is no session with the id ${id}.`);
  printResult(flags, { ended: 1 }, "Ended 1 session.");
}

async function endAll({ account, everyone, ...flags }: JsonFlag & { account?: string; everyone?: true }) {
  if ((account === undefined) === (everyone === undefined))
    throw new UsageError("latchkey sessions end-all takes --account EMAIL or --everyone.");
  await withLatchkey(async (parts) => {
    const ended = await endSessions(parts, account);
    printResult(flags, { ended }, `Ended ${many(ended, "session")}.`);
  });
}

/** Ends the sessions of one account, or of every account if `email` is undefined. */
async function endSessions(parts: HttpParts, email: string | undefined): Promise<number> {
  const now = parts.settings.now();
  if (email === undefined) return endEveryoneShown(parts.database, now);
  const { account } = orRefused(await findForOperator(parts, email));
  const doer = { by: ADMINISTRATOR, at: now };
  return endInTransaction(parts, "all_logged_out", { accountId: account.id }, doer);
}
