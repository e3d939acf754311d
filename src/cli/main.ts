import { existsSync, readFileSync } from "node:fs";
import { parseArgs, parseEnv } from "node:util";
import { DatabaseUnavailable, DatabaseUnusable } from "../database/database.ts";
import { SourceUnusable } from "../moving-in/incoming.ts";
import { SettingError } from "../option-readers.ts";
import { optionsFromEnvironment } from "../options.ts";
import type { Command, ExitCode } from "./command.ts";
import { Refused, UsedWrongly } from "./command.ts";
import { commands } from "./commands.ts";
import { helpOf, overview } from "./help.ts";

const say = (line: string) => process.stderr.write(`${line}\n`);
const print = (line: string) => process.stdout.write(`${line}\n`);

process.exitCode = await main(process.argv.slice(2));

async function main(words: string[]): Promise<ExitCode> {
  const command = commands.find(({ name }) => words.slice(0, name.split(" ").length).join(" ") === name);
  if (!command) return withoutCommand(words);
  const rest = words.slice(command.name.split(" ").length);
  const parsed = parse(command, rest);
  if (!parsed) return 2;
  if (parsed.values.help) {
    print(helpOf(command));
    return 0;
  }
  if (parsed.positionals.length !== command.takes) {
    say(
      `latchkey ${command.name} takes ${command.usage || "no arguments"}. See: latchkey ${command.name} --help`,
    );
    return 2;
  }
  return runSafely(command, parsed);
}

function withoutCommand(words: string[]): ExitCode {
  const asksForHelp =
    words.length === 0 || words.includes("--help") || words.includes("-h") || words[0] === "help";
  if (asksForHelp) {
    print(overview(commands, words[0]));
    return 0;
  }
  say(`There is no command "${words.join(" ")}". See: latchkey --help`);
  return 2;
}

function parse(command: Command, words: string[]) {
  try {
    const options = { ...command.flags, help: { type: "boolean", short: "h" } } as const;
    return parseArgs({ args: words, options, allowPositionals: true, strict: true });
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)} See: latchkey ${command.name} --help`);
    return null;
  }
}

/** The settings in `.env`, where the environment has none. Some editors put a mark before the first letter. */
function readEnvironmentFile(): void {
  if (!existsSync(".env")) return;
  try {
    const found = parseEnv(readFileSync(".env", "utf8").replace(/^\uFEFF/, ""));
    for (const [name, value] of Object.entries(found)) process.env[name] ??= value;
  } catch (error) {
    throw new Refused(
      `.env can't be read (${(error as Error).message}). It must be a file of NAME=value lines.`,
    );
  }
}

async function runSafely(command: Command, parsed: NonNullable<ReturnType<typeof parse>>): Promise<ExitCode> {
  try {
    readEnvironmentFile();
    const options = optionsFromEnvironment(process.env);
    const flags = parsed.values as Record<string, string | boolean | undefined>;
    return await command.run({ options, arguments: parsed.positionals, flags, print, say });
  } catch (error) {
    const isExpected =
      error instanceof SettingError ||
      error instanceof DatabaseUnusable ||
      error instanceof DatabaseUnavailable ||
      error instanceof SourceUnusable ||
      error instanceof UsedWrongly ||
      error instanceof Refused;
    say(
      isExpected ? error.message : `Something broke: ${error instanceof Error ? error.stack : String(error)}`,
    );
    return error instanceof UsedWrongly ? 2 : 1;
  }
}
