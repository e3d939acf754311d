import type { Command } from "commander";
import type { HttpParts } from "../http/call.ts";
import { importAccounts } from "../import/import-accounts.ts";
import type { Source } from "../import/incoming.ts";
import { readJsonLines } from "../import/read-json-lines.ts";
import type { LeftOut, Report } from "../import/report.ts";
import type { ImportOptions } from "../import/validate.ts";
import { createProgress } from "./progress.ts";
import { type JsonFlag, many, print, UsageError } from "./terminal.ts";
import { withLatchkey } from "./with-latchkey.ts";

/** Opens each kind of source. The readers are imported here, since no other command needs them. */
const SOURCES: Record<string, (place: string) => Promise<Source>> = {
  "json-lines": async (file) => readJsonLines(file),
  "better-auth": async (place) => {
    const { readBetterAuth } = await import("../import/read-better-auth.ts");
    return readBetterAuth(place, betterAuthSecrets(), Date.now());
  },
  "auth-js": async (place) => {
    const { readAuthJs } = await import("../import/read-auth-js.ts");
    return readAuthJs(place);
  },
};

/** better-auth's secrets, from the variables that its documentation names: one, or versions as `2:new,1:old`. */
function betterAuthSecrets(): string[] {
  const { BETTER_AUTH_SECRET: secret, BETTER_AUTH_SECRETS: versions } = process.env;
  const versioned = (versions ?? "").split(",").map((one) => one.trim().replace(/^\d+:/, ""));
  return [secret ?? "", ...versioned].filter((one) => one !== "");
}

type Flags = JsonFlag & { from?: string; dryRun?: true; dropLostTwoFactor?: true };

export function addImport(program: Command): void {
  const kinds = Object.keys(SOURCES);
  program
    .command("import <SOURCE>")
    .description("Imports the accounts of another system; existing accounts are left unchanged.")
    .option("--from <KIND>", `What SOURCE is: ${kinds.join(", ")}.`)
    .option("--dry-run", "Previews the import; writes no account.")
    .option(
      "--drop-lost-two-factor",
      "Also imports accounts whose second factor can't be read, but without it.",
    )
    .action(async (source: string, flags: Flags) => {
      const open = SOURCES[flags.from ?? ""];
      if (open === undefined)
        throw new UsageError(`latchkey import takes --from ${kinds.join("|")}. See: latchkey import --help`);
      await runImport(await open(source), flags);
    });
}

/** Exits with 1 if an account was left out: the report says which, and why. */
async function runImport(source: Source, flags: Flags): Promise<void> {
  const options: ImportOptions = {
    dryRun: flags.dryRun === true,
    dropLostTwoFactor: flags.dropLostTwoFactor === true,
  };
  const progress = createProgress("accounts");
  const leftOut: LeftOut[] = [];
  const work = async (parts: HttpParts) => {
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
    if (report.leftOut.accounts > 0) process.exitCode = 1;
  };
  try {
    await withLatchkey(work, { creates: true });
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
