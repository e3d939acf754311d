// `npm run mutation [RULE …] [-- STRYKER'S OPTIONS]`: breaks the code of each rule in small ways, one at a time, and
// says which of them no test of that rule notices. All of them take hours; see docs/mutation.md.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rules = JSON.parse(readFileSync(join(root, "tests/mutation/rules.json"), "utf8"));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { mutate: { type: "string" }, concurrency: { type: "string", default: "2" } },
});
const wanted = positionals.length > 0 ? positionals : Object.keys(rules);
const unknown = wanted.filter((name) => rules[name] === undefined);
if (unknown.length > 0) {
  console.error(`No rule ${unknown.join(", ")}. There are: ${Object.keys(rules).join(", ")}.`);
  process.exit(2);
}

for (const name of wanted) {
  const { sources, tests } = rules[name];
  const mutate = values.mutate ?? sources.join(",");
  const report = join(root, "reports", "mutation", `${name}.json`);
  const env = { ...process.env, LATCHKEY_MUTATION_REPORT: report };
  const args = [
    "run",
    "--mutate",
    mutate,
    "--testFiles",
    tests.join(","),
    "--concurrency",
    values.concurrency,
  ];
  const stryker = join(root, "node_modules", "@stryker-mutator", "core", "bin", "stryker.js");
  const { status } = spawnSync(process.execPath, [stryker, ...args], { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
