import type { ImportOptions } from "../moving-in/fit.ts";
import { importAccounts } from "../moving-in/import-accounts.ts";
import type { Source } from "../moving-in/incoming.ts";
import { readAuthJs } from "../moving-in/read-auth-js.ts";
import { readBetterAuth } from "../moving-in/read-better-auth.ts";
import { readJsonLines } from "../moving-in/read-json-lines.ts";
import type { LeftOut, Report } from "../moving-in/report.ts";
import type { Command, ExitCode, Run } from "./command.ts";
import { createProgress } from "./progress.ts";
import { withLatchkey } from "./with-latchkey.ts";

/** How each kind of source is opened. */
const SOURCES: Record<string, (place: string) => Promise<Source>> = {
  "json-lines": async (file) => readJsonLines(file),
  "better-auth": (place) => readBetterAuth(place, betterAuthSecrets(), Date.now()),
  "auth-js": (place) => readAuthJs(place),
};

/** Its secret, or with versions `2:new,1:old`, under the names that its own documents give them. */
function betterAuthSecrets(): string[] {
  const { BETTER_AUTH_SECRET: secret, BETTER_AUTH_SECRETS: versions } = process.env;
  const versioned = (versions ?? "").split(",").map((one) => one.trim().replace(/^\d+:/, ""));
  return [secret ?? "", ...versioned].filter((one) => one !== "");
}

export const importCommand: Command = {
  name: "import",
  usage: "SOURCE",
  summary: "Brings in the accounts of another system; who is here already is left as is.",
  flags: {
    from: { type: "string" },
    "dry-run": { type: "boolean" },
    "drop-lost-two-factor": { type: "boolean" },
    json: { type: "boolean" },
  },
  flagHelp: {
    from: `What SOURCE is: ${Object.keys(SOURCES).join(", ")}.`,
    "dry-run": "Says what would happen, and writes no account.",
    "drop-lost-two-factor": "Takes accounts whose second factor can't be read all the same, without it.",
    json: "Prints JSON.",
  },
  takes: 1,
  async run(run) {
    const open = typeof run.flags.from === "string" ? SOURCES[run.flags.from] : undefined;
    if (!open) {
      run.say(`latchkey import takes --from ${Object.keys(SOURCES).join("|")}. See: latchkey import --help`);
      return 2;
    }
    return bringIn(run, await open(run.arguments[0] ?? ""));
  },
};

/** 1 where an account did not come: the report says which and why. */
async function bringIn(run: Run, source: Source): Promise<ExitCode> {
  const { flags, print } = run;
  const options: ImportOptions = {
    dryRun: flags["dry-run"] === true,
    dropLostTwoFactor: flags["drop-lost-two-factor"] === true,
  };
  const progress = createProgress("accounts", run.say);
  const leftOut: LeftOut[] = [];
  try {
    return await withLatchkey(run, async ({ parts }) => {
      const report = await importAccounts(parts, source.found, options, {
        leftOut(one) {
          if (flags.json) leftOut.push(one);
          else {
            progress.clear();
            print(sentenceOf(one));
          }
        },
        progress: (done) => progress.show(source.share(), done),
      }).finally(() => progress.clear());
      if (flags.json) print(JSON.stringify({ dryRun: options.dryRun, ...report, leftOut }, null, 2));
      else for (const line of summary(report, options)) print(line);
      return report.leftOut.accounts > 0 ? 1 : 0;
    });
  } finally {
    await source.close();
  }
}

function sentenceOf({ where, what, why }: LeftOut): string {
  return what === "account" ? `${where}: left out. ${why}` : `${where}: came without a ${what}. ${why}`;
}

function summary(report: Report, { dryRun }: ImportOptions): string[] {
  const { accounts, passwords, twoFactors, loginMethods, sessions, alreadyHere, leftOut } = report;
  const came = [
    many(accounts, "account"),
    many(passwords, "password"),
    many(twoFactors, "second factor"),
    many(loginMethods, "login method of other sites", "login methods of other sites"),
    many(sessions, "live session"),
  ];
  return [
    `${dryRun ? "Would import" : "Imported"} ${came.slice(0, -1).join(", ")} and ${came.at(-1)}.`,
    `Already here, and left as they are: ${many(alreadyHere, "account")}.`,
    `Left out: ${many(leftOut.accounts, "account")}, and ${many(leftOut.parts, "part")} of others.`,
  ];
}

function many(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
}
