import { endEveryone, findForOperator, OPERATOR } from "../accounts/operator.ts";
import { iso } from "../http/answers.ts";
import type { HttpParts } from "../http/call.ts";
import { overByTime } from "../sessions/expiry.ts";
import { endAllOf, endAny } from "../sessions/list.ts";
import type { Command, ExitCode, Run } from "./command.ts";
import { Refused } from "./command.ts";
import { LIMIT_FLAG, LIMIT_HELP, readLimit, table } from "./table.ts";
import { orRefused, withLatchkey } from "./with-latchkey.ts";

const json = { json: { type: "boolean" } } as const;
const jsonHelp = { json: "Prints JSON." };

const list: Command = {
  name: "sessions list",
  usage: "",
  summary: "Lists live sessions, last used first.",
  flags: { ...json, ...LIMIT_FLAG, account: { type: "string" } },
  flagHelp: { account: "Only those of this email address.", ...jsonHelp, ...LIMIT_HELP },
  takes: 0,
  run: (run) => withLatchkey(run, ({ parts }) => listAll(run, parts)),
};

async function listAll({ flags, print, say }: Run, parts: HttpParts): Promise<ExitCode> {
  const limit = readLimit(flags);
  const now = parts.settings.now();
  let rows = parts.database.read
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
  if (typeof flags.account === "string") {
    const { account } = orRefused(await findForOperator(parts, flags.account));
    rows = rows.where("account.id", "=", account.id);
  }
  const found = await rows
    .orderBy("last_used_at", "desc")
    .orderBy("session.id")
    .limit(limit + 1)
    .execute();
  const sessions = found
    .slice(0, limit)
    .filter((session) => overByTime(session.expiresAt, session.lastUsedAt, parts.settings, now) === null)
    .map((session) => ({
      ...session,
      createdAt: iso(session.createdAt),
      lastUsedAt: iso(session.lastUsedAt),
      expiresAt: iso(session.expiresAt),
    }));
  if (flags.json) print(JSON.stringify(sessions, null, 2));
  else {
    const cells = sessions.map((one) => [one.label, one.email, one.createdAt, one.lastUsedAt, one.id]);
    for (const line of table(["DEVICE", "EMAIL", "SIGNED IN", "LAST USED", "ID"], cells)) print(line);
  }
  if (found.length > limit) say("There are more; ask for them with --limit.");
  return 0;
}

const end: Command = {
  name: "sessions end",
  usage: "ID",
  summary: "Ends one session; its device is out at its next request.",
  flags: json,
  flagHelp: jsonHelp,
  takes: 1,
  run: (run) =>
    withLatchkey(run, async ({ parts }) => {
      const [id = ""] = run.arguments;
      const ending = { reason: "signed_out_remotely", by: OPERATOR, at: parts.settings.now() } as const;
      if (!(await endAny(parts.database, id, ending)))
        throw new Refused(`There is no session with the id ${id}.`);
      run.print(run.flags.json ? JSON.stringify({ ended: 1 }) : "Ended 1 session.");
      return 0;
    }),
};

const endAll: Command = {
  name: "sessions end-all",
  usage: "",
  summary: "Ends every session of an account, or of everyone.",
  flags: { ...json, account: { type: "string" }, everyone: { type: "boolean" } },
  flagHelp: { account: "Those of this email address.", everyone: "Those of all accounts.", ...jsonHelp },
  takes: 0,
  async run(run) {
    const { account, everyone } = run.flags;
    if ((typeof account === "string") === (everyone === true)) {
      run.say("latchkey sessions end-all takes --account EMAIL or --everyone.");
      return 2;
    }
    return withLatchkey(run, async ({ parts }) => {
      const ended =
        typeof account === "string"
          ? await endAllOfAddress(parts, account)
          : await endEveryone(parts, parts.settings.now());
      run.print(
        run.flags.json
          ? JSON.stringify({ ended })
          : `Ended ${ended} ${ended === 1 ? "session" : "sessions"}.`,
      );
      return 0;
    });
  },
};

async function endAllOfAddress(parts: HttpParts, email: string): Promise<number> {
  const { account } = orRefused(await findForOperator(parts, email));
  const of = { accountId: account.id, by: OPERATOR, at: parts.settings.now() };
  return endAllOf(parts.database, "ended_by_operator", of);
}

export const sessionCommands: readonly Command[] = [list, end, endAll];
