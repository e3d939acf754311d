import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { Command, CommanderError, Help } from "commander";
import { DatabaseUnavailable, DatabaseUnusable } from "../database/database.ts";
import { asUnavailable } from "../database/sqlite/faults.ts";
import { SourceUnusable } from "../import/incoming.ts";
import { SettingError } from "../options/options.ts";
import { packageFile } from "../own-files.ts";
import { addAccounts } from "./accounts.ts";
import { addBackup } from "./backup/backup.ts";
import { addRestore } from "./backup/restore.ts";
import { addBreachedPasswords } from "./breached-passwords.ts";
import { addDoctor } from "./doctor/doctor.ts";
import { addImport } from "./import.ts";
import { addInit } from "./init.ts";
import { addServe } from "./serve/serve.ts";
import { addSessions } from "./sessions.ts";
import { CommandFailed, outliveReaders, say, sentenceOf, UsageError } from "./terminal.ts";
import { addMigrate, addPrune } from "./upkeep.ts";

/** Errors that are shown as their message alone, without a stack. */
const EXPECTED = [
  SettingError,
  DatabaseUnusable,
  DatabaseUnavailable,
  SourceUnusable,
  UsageError,
  CommandFailed,
];

/** The width of the help without a terminal: enough to keep each command on one line, for programs that read it. */
const WIDE = 200;

outliveReaders();
await main(process.argv.slice(2));

async function main(words: string[]): Promise<void> {
  try {
    await createProgram().parseAsync(words.length === 0 ? ["--help"] : words, { from: "user" });
  } catch (error) {
    process.exitCode = tell(error);
  }
}

/** Every command, in the order of the help. */
function createProgram(): Command {
  const manifest = readFileSync(packageFile("package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  const program = new Command("latchkey")
    .version(version, "-V, --version", "Shows the version.")
    .helpOption("-h, --help", "Shows this help.")
    .configureHelp({
      subcommandTerm: (command) => [fullName(command), argumentsOf(command)].join(" "),
      // Lists subcommands only in the help: "Did you mean" must still compare names of the same level.
      formatHelp: (command, helper) =>
        Help.prototype.formatHelp.call(helper, command, Object.assign(helper, { visibleCommands: leaves })),
    })
    .configureOutput({ outputError: () => {}, getOutHelpWidth: () => process.stdout.columns ?? WIDE })
    .addHelpText("after", "\nRun latchkey <command> --help for more.")
    .hook("preAction", readEnvironmentFile);
  const steps = [
    addInit,
    addServe,
    addMigrate,
    addAccounts,
    addSessions,
    addImport,
    addPrune,
    addDoctor,
    addBackup,
    addRestore,
    addBreachedPasswords,
  ];
  for (const add of steps) add(program);
  for (const command of leaves(program))
    if (command.name() !== "serve") command.option("--json", "Prints JSON.");
  for (const command of [program, ...program.commands, ...leaves(program)])
    command.exitOverride((error) => {
      throw error.exitCode === 0 || error.code === "commander.help" ? error : inOneLine(command, error);
    });
  return program;
}

function leaves(command: Command): Command[] {
  return command.commands.flatMap((one) => (one.commands.length > 0 ? leaves(one) : [one]));
}

/** As typed: `sessions end`; empty for the program itself. */
function fullName(command: Command): string {
  return command.parent === null ? "" : `${fullName(command.parent)} ${command.name()}`.trim();
}

function argumentsOf(command: Command): string {
  return command.registeredArguments.map((one) => one.name()).join(" ");
}

function inOneLine(command: Command, { code, message }: CommanderError): UsageError {
  const name = `latchkey ${fullName(command)}`.trim();
  const isCount = code === "commander.missingArgument" || code === "commander.excessArguments";
  const takes = `${name} takes ${argumentsOf(command) || "no arguments"}`;
  const words = isCount ? takes : message.replace(/^error: /, "").replace("\n", " ");
  return new UsageError(`${words}. See: ${name} --help`);
}

/** Reads the settings in `.env`; the environment wins. Some editors begin a file with a byte order mark. */
function readEnvironmentFile(): void {
  if (!existsSync(".env")) return;
  try {
    const found = parseEnv(readFileSync(".env", "utf8").replace(/^\uFEFF/, ""));
    for (const [name, value] of Object.entries(found)) process.env[name] ??= value;
  } catch (error) {
    throw new CommandFailed(
      `.env can't be read (${(error as Error).message}). It must be a file of NAME=value lines.`,
    );
  }
}

/** Says what went wrong, and returns the exit code: 0 done, 1 refused, 2 used wrongly. */
function tell(thrown: unknown): 0 | 1 | 2 {
  // Commander throws after it has printed the help or the version, too.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = asUnavailable(thrown);
  if (!(error instanceof Error)) say(`Something broke: ${error}`);
  else if (EXPECTED.some((kind) => error instanceof kind)) say(sentenceOf(error));
  // A full disk, a missing permission or folder: the system's own message names the file.
  else if ("syscall" in error) say(`It can't be done: ${error.message}.`);
  else say(`Something broke: ${error.stack}`);
  return error instanceof UsageError ? 2 : 1;
}
