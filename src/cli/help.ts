import type { Command } from "./command.ts";

/** The page of all commands, or of those that begin with one word. */
export function overview(commands: readonly Command[], first: string | undefined): string {
  const some = commands.filter(({ name }) => name.split(" ")[0] === first);
  const shown = some.length > 0 ? some : commands;
  const width = Math.max(...shown.map(({ name, usage }) => name.length + usage.length + 1));
  const lines = shown.map(({ name, usage, summary }) => `  ${`${name} ${usage}`.padEnd(width)}  ${summary}`);
  return [
    "Usage: latchkey <command> [options]",
    "",
    ...lines,
    "",
    "latchkey <command> --help tells more.",
  ].join("\n");
}

export function helpOf({ name, usage, summary, flagHelp, flags }: Command): string {
  const shown = Object.entries(flagHelp).map(([flag, help]): [string, string] => {
    const value = flags[flag]?.type === "string" ? ` ${flag.toUpperCase()}` : "";
    return [`--${flag}${value}`, help];
  });
  const rows = [...shown, ["--help", "Shows this."] as [string, string]];
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const lines = rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`);
  return [
    `Usage: latchkey ${[name, usage, "[options]"].filter(Boolean).join(" ")}`,
    "",
    summary,
    "",
    ...lines,
  ].join("\n");
}
