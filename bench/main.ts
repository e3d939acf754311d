import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bound } from "./bound.ts";
import { busy, check, random } from "./in-app.ts";
import { live } from "./live.ts";
import { peers } from "./peers.ts";
import { prune } from "./prune.ts";
import { asMarkdown, type Bench, isMissed, machine, type Result, save } from "./results.ts";
import { signIns } from "./sign-ins.ts";
import { sizes } from "./sizes.ts";
import { start } from "./start.ts";
import { workers } from "./workers.ts";

const BENCHES: Record<string, Bench> = {
  check,
  random,
  busy,
  bound,
  sizes,
  prune,
  "sign-ins": signIns,
  live,
  start,
  workers,
  peers,
};

const HELP = `npm run bench [-- NAME …] [--rounds N] [--sessions N] [--json FILE] [--check]

Measures where Latchkey stands, as ratios within one run, each with half the range that the middle half of its rounds
spans. Without a name, all run; peers only if it is named, or was installed before.

${Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(9)} ${about}`)
  .join("\n")}

  --rounds N    more of them narrow the spread
  --sessions N  for the benches that plant sessions
  --json FILE   adds the results to FILE, in place of what it has of the same benches
  --check       fails where a bound is missed by more than its spread
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", default: false },
    rounds: { type: "string" },
    sessions: { type: "string" },
    json: { type: "string" },
    check: { type: "boolean", default: false },
  },
});

if (values.help) console.log(HELP);
else await runAll(chosen(positionals));

function chosen(names: readonly string[]): string[] {
  const unknown = names.filter((name) => !(name in BENCHES));
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}.`);
    process.exit(2);
  }
  if (names.length > 0) return [...names];
  const hasPeers = existsSync(join(import.meta.dirname, "peers", "node_modules"));
  return Object.keys(BENCHES).filter((name) => name !== "peers" || hasPeers);
}

async function runAll(names: readonly string[]): Promise<void> {
  const results: Result[] = [];
  for (const name of names) {
    const bench = BENCHES[name];
    if (bench === undefined) continue;
    const rounds = wholeNumber("rounds") ?? bench.rounds;
    const rows = await bench.run({ rounds, sessions: wholeNumber("sessions"), progress: progressOf(name) });
    process.stderr.write("\n");
    const result = { bench: name, date: new Date().toISOString(), machine: machine(), rounds, rows };
    console.log(asMarkdown(result));
    results.push(result);
    if (values.json !== undefined) save(values.json, [result]);
  }
  const rows = results.flatMap((result) => result.rows.filter(({ bound }) => bound !== undefined));
  const missed = rows.filter(isMissed);
  if (!values.check || missed.length === 0) return;
  console.error(`${missed.length} of ${rows.length} bounds are missed by more than the spread:`);
  for (const { what } of missed) console.error(`  ${what}`);
  process.exitCode = 1;
}

function wholeNumber(name: "rounds" | "sessions"): number | undefined {
  const given = values[name];
  if (given === undefined) return undefined;
  if (/^[1-9]\d*$/.test(given)) return Number(given);
  console.error(`--${name} takes a whole number, not ${given}.`);
  process.exit(2);
}

/** On a terminal, one line that is overwritten; elsewhere, a line each. */
function progressOf(name: string): (line: string) => void {
  const [before, after] = process.stderr.isTTY ? ["\r\x1b[K", ""] : ["", "\n"];
  return (line) => process.stderr.write(`${before}${name}: ${line} …${after}`);
}
