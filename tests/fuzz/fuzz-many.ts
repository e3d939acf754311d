import { parseArgs } from "node:util";
import { engineOf, postgresAt } from "../support/databases/engines.ts";
import { startPostgres } from "../support/databases/postgres.ts";
import { fuzz, MOST_GROWN } from "./fuzz.ts";

const HELP = `npm run fuzz -- [--seed N] [--requests N] [--engine sqlite|postgres]

Sends generated requests to a server of its own: every row of the API and every page, with methods, paths, headers,
cookies and bodies that are right, wrong and odd. Says which answers are no proper ones, which tell a secret, what the
process left unhandled, what is wrong in the database at the end, and by how much the heap has grown.

  --seed      which requests (default: another one each time, printed); the same seed sends the same requests
  --requests  how many (default: 1000000)
  --engine    on which database (default: sqlite; for postgres one is started)

Exits with 1 where anything is wrong.`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    requests: { type: "string", default: "1000000" },
    engine: { type: "string", default: "sqlite" },
    help: { type: "boolean", default: false },
  },
});
const [seed, requests] = [values.seed, values.requests].map(Number);
const isKnown = ["sqlite", "postgres"].includes(values.engine);
if (values.help || !isKnown || !Number.isSafeInteger(seed) || !Number.isSafeInteger(requests)) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}

const postgres = values.engine === "postgres" ? await startPostgres() : null;
const engine = postgres === null ? engineOf("sqlite") : postgresAt(postgres.url);
console.log(`Seed ${seed}: ${requests} requests on ${engine.name}`);
const began = performance.now();
const seconds = () => (performance.now() - began) / 1_000;
let told = 0;
const { faults, statuses, grown, ...done } = await fuzz({
  engine,
  seed: Number(seed),
  requests: Number(requests),
  onProgress(sent, found) {
    for (; told < found.length; told++) console.log(`\n${found[told]}`);
    if (sent % 10_000 === 0) console.log(`${sent} sent, ${Math.round(sent / seconds())} a second`);
  },
});
await postgres?.stop();
for (const fault of faults.slice(told)) console.log(`\n${fault}`);
const byStatus = [...statuses].sort(([one], [other]) => one - other);
console.log(
  `\nAnswers: ${byStatus.map(([status, count]) => `${count} × ${status || "cut off"}`).join(", ")}`,
);
console.log(
  `${done.requests} requests in ${Math.round(seconds())} s (${Math.round(done.requests / seconds())} a second), ${faults.length} faults, heap grown by ${(grown / 2 ** 20).toFixed(1)} MB`,
);
process.exit(faults.length > 0 || grown > MOST_GROWN ? 1 : 0);
