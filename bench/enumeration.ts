import type { Engine } from "../tests/support/databases/engines.ts";
import { engineOf, postgresAt } from "../tests/support/databases/engines.ts";
import { startPostgres } from "../tests/support/databases/postgres.ts";
import { accountWith } from "../tests/support/requests/account-kinds.ts";
import { DAY } from "../tests/support/requests/clock.ts";
import { freshEmail, WRONG_PASSWORD } from "../tests/support/requests/people.ts";
import { startServer, type TestServer } from "../tests/support/servers/server.ts";

const HELP = `node bench/enumeration.ts [SAMPLES]: whether the time of an answer tells which addresses have an account.

On both engines, SAMPLES (default 300) wrong sign-ins and requested resets for an address without an account, and for
one account of each kind, in random order, one at a time. Prints each kind's median against that of the address
without an account, and how likely a difference is chance (Mann-Whitney). Fails where one is above 5 % and not chance
(p < 0.001). About four minutes.`;
if (process.argv.includes("--help")) {
  console.log(HELP);
  process.exit(0);
}

const SAMPLES = Math.min(5_000, Number(process.argv[2] ?? 300));
const NOBODY = "no account";
const KINDS = [
  "a password",
  "no password",
  "a blocked password",
  "a suspension",
  "an imported password",
] as const;
/** A smaller difference can't be measured over a network in any number of tries that the limits allow. */
const MOST = 0.05;
const CHANCE = 0.001;
const WARM_UP = 10;

const ASKS: Record<string, (server: TestServer, email: string) => Promise<unknown>> = {
  "wrong sign-in": (server, email) =>
    server.client().post("/api/session", { email, password: WRONG_PASSWORD }),
  "requested reset": (server, email) => server.client().post("/api/password-resets", { email }),
};

const postgres = await startPostgres();
let failed = false;
try {
  await measure("SQLite", engineOf("sqlite"));
  await measure("PostgreSQL", postgresAt(postgres.url));
} finally {
  await postgres.stop();
}
process.exitCode = failed ? 1 : 0;

async function measure(name: string, engine: Engine): Promise<void> {
  const server = await startServer({ engine });
  try {
    const kinds = await oneOfEachKind(server);
    for (const [what, ask] of Object.entries(ASKS))
      report(`${what}, ${name}`, await sample(server, kinds, ask));
  } finally {
    await server.close();
  }
}

async function oneOfEachKind(server: TestServer): Promise<Map<string, string>> {
  const kinds = new Map([[NOBODY, freshEmail()]]);
  for (const kind of KINDS) kinds.set(kind, await accountWith(server, kind));
  return kinds;
}

async function sample(
  server: TestServer,
  kinds: Map<string, string>,
  ask: (server: TestServer, email: string) => Promise<unknown>,
): Promise<Map<string, number[]>> {
  const times = new Map([...kinds.keys()].map((kind) => [kind, [] as number[]]));
  for (let round = -WARM_UP; round < SAMPLES; round++) {
    // Resets every limit.
    server.clock.advance(DAY);
    for (const [kind, email] of shuffled([...kinds])) {
      const began = performance.now();
      await ask(server, email);
      if (round >= 0) times.get(kind)?.push(performance.now() - began);
      // Waits, since work that goes on after an answer would count towards the time of the next one.
      await server.outbox.all();
    }
  }
  return times;
}

function report(title: string, times: Map<string, number[]>): void {
  const nobody = times.get(NOBODY) ?? [];
  const base = median(nobody);
  console.log(`\n${title}: ${base.toFixed(2)} ms for ${NOBODY}`);
  for (const [kind, own] of times) {
    if (kind === NOBODY) continue;
    const difference = median(own) / base - 1;
    const p = mannWhitney(own, nobody);
    const tells = Math.abs(difference) > MOST && p < CHANCE;
    failed ||= tells;
    const percent = `${(difference * 100).toFixed(1)} %`;
    console.log(`  ${kind.padEnd(21)} ${percent.padStart(8)}  p = ${p.toFixed(4)}${tells ? "  TELLS" : ""}`);
  }
}

function shuffled<T>(list: T[]): T[] {
  return list
    .map((value) => ({ value, by: Math.random() }))
    .sort((one, other) => one.by - other.by)
    .map(({ value }) => value);
}

function median(numbers: number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** How likely such a difference of ranks is by chance alone: two-sided, by the normal approximation. */
function mannWhitney(one: number[], other: number[]): number {
  const ranked = [
    ...one.map((time) => ({ time, own: true })),
    ...other.map((time) => ({ time, own: false })),
  ];
  ranked.sort((a, b) => a.time - b.time);
  const ranks = ranked.reduce((sum, { own }, index) => sum + (own ? index + 1 : 0), 0);
  const [n, m] = [one.length, other.length];
  const u = ranks - (n * (n + 1)) / 2;
  const z = (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return 2 * (1 - normal(Math.abs(z)));
}

/** The normal distribution, in the approximation of Zelen and Severo (7 digits). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
