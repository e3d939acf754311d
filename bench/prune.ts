import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { createLatchkey, type Latchkey } from "../src/index.ts";
import { prune } from "../src/sessions/prune.ts";
import { hashToken, makeToken } from "../src/sessions/token.ts";
import { startPostgres } from "../tests/support/postgres.ts";

/**
 * `node bench/prune.ts [EXPIRED]`: how long checks wait while so many expired sessions are deleted, against
 * the same checks before it, in one run on each engine.
 */
const expired = Number(process.argv[2] ?? "200000");
const DAY = 86_400_000;
const BEFORE = 3_000; // ms
const KEY = "ab".repeat(32);

const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
const postgres = await startPostgres();
try {
  const file = join(folder, "latchkey.db");
  await measure("SQLite", `sqlite:${file}`, (sql) => {
    const open = new DatabaseSync(file);
    open.exec(sql);
    open.close();
  });
  await measure("PostgreSQL", postgres.url, async (sql) => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(sql);
    await client.end();
  });
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(name: string, databaseUrl: string, run: (sql: string) => unknown): Promise<void> {
  const latchkey = await createLatchkey({ databaseUrl, secretKey: KEY, logLevel: "error" });
  const token = makeToken();
  await run(fill(name, Date.now(), Buffer.from(hashToken(token)).toString("hex")));
  const quiet = await checkUntil(latchkey, token, new Promise((resolve) => setTimeout(resolve, BEFORE)));
  const began = performance.now();
  const pruning = prune(latchkey.parts, Date.now());
  const busy = await checkUntil(latchkey, token, pruning);
  const took = (performance.now() - began) / 1_000;
  const { sessions } = await pruning;
  await latchkey.close();
  const ratio = (one: number, other: number) => `${(one / other).toFixed(1)} ×`;
  console.log(
    `${name}: ${sessions} expired sessions pruned in ${took.toFixed(1)} s. A check at the median took ${ratio(busy.median, quiet.median)} what it took before, at the 99th percentile ${ratio(busy.late, quiet.late)}; the longest waited ${busy.longest.toFixed(0)} ms (before: ${quiet.longest.toFixed(0)} ms).`,
  );
}

/** One check after another, each timed, until something else is done. */
async function checkUntil(latchkey: Latchkey, token: string, done: Promise<unknown>) {
  const request = new Request("http://localhost:3000/", { headers: { Cookie: `latchkey=${token}` } });
  const times: number[] = [];
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const began = performance.now();
    const who = await latchkey.authenticate(request);
    times.push(performance.now() - began);
    if (!("account" in who)) throw new Error(`The session that lives is ${who.reason}.`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  times.sort((one, other) => one - other);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { median: at(0.5), late: at(0.99), longest: at(1) };
}

/** One account with one session that lives, and all the expired ones. */
function fill(name: string, now: number, hash: string): string {
  const isPostgres = name === "PostgreSQL";
  const bytes = (hex: string) => (isPostgres ? `'\\x${hex}'` : `x'${hex}'`);
  const random = isPostgres ? "sha256(n::text::bytea)" : "randomblob(32)";
  const numbers = isPostgres
    ? `generate_series(1, ${expired}) as numbers (n)`
    : `(with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${expired}) select n from numbers)`;
  const columns =
    "token_hash, id, account_id, browser, os, label, created_at, expires_at, last_used_at, signed_in_with, method_id, proved_at";
  const row = (hashed: string, id: string, ends: number) =>
    `${hashed}, ${id}, 'bench', 'Firefox', 'Linux', 'Firefox on Linux', ${ends - 30 * DAY}, ${ends}, ${ends - DAY}, 'password', 'password', 0`;
  const id = randomBytes(8).toString("hex");
  return `insert into account (id, email, email_key, created_at) values ('bench', 'a@example.test', 'a@example.test', ${now});
    insert into session (${columns}) values (${row(bytes(hash), `'${id}'`, now + DAY)});
    insert into session (${columns}) select ${row(random, "'old-' || n", now - DAY)} from ${numbers};`;
}
