// `npm run check`: every check that runs no server, each with its result; all failures are shown.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const STEPS = [
  [
    "format, lint, and imports that only go down",
    "biome",
    "check",
    "--error-on-warnings",
    "--diagnostic-level=warn",
  ],
  ["types of the server and the tests", "tsc", "-p", "tsconfig.json"],
  ["types of the browser's code", "tsc", "-p", "tsconfig.browser.json"],
  ["unused files, exports and dependencies", "knip"],
  ["house rules", "node", "scripts/house-rules.mjs"],
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
const began = Date.now();
const waiting = [...STEPS];
const failed = [];
await Promise.all(Array.from({ length: availableParallelism() }, work));

const total = secondsSince(began);
if (failed.length > 0) {
  console.log(`\n${failed.length} of ${STEPS.length} checks failed: ${failed.join("; ")} (${total})`);
  process.exit(1);
}
console.log(`\nAll ${STEPS.length} checks passed (${total})`);

async function work() {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await check(step);
}

async function check([name, command, ...args]) {
  const stepBegan = Date.now();
  const { passed, output } = await run(command, args);
  console.log(`${passed ? "pass" : "FAIL"}  ${name} (${secondsSince(stepBegan)})`);
  if (passed) return;
  failed.push(name);
  console.log(`\n${[command, ...args].join(" ")}\n${output.trimEnd()}\n`);
}

function run(command, args) {
  return new Promise((resolve) => {
    let output = "";
    const env = { ...process.env, PATH: path };
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ passed: false, output: error.message }));
    child.on("close", (code) => resolve({ passed: code === 0, output }));
  });
}

function secondsSince(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}
