import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";
import { importAccounts } from "../src/import/import-accounts.ts";
import { readBetterAuth } from "../src/import/read-better-auth.ts";
import { readJsonLines } from "../src/import/read-json-lines.ts";
import { createLatchkey } from "../src/index.ts";
import { BETTER_AUTH_TABLES } from "../tests/support/databases/old-systems.ts";
import { startPostgres } from "../tests/support/databases/postgres.ts";

const HASH = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/**
 * `node bench/import.ts [ACCOUNTS]`: how long an import takes, and how much memory, with a password and a
 * session for each account, a second factor for every fifth and another site for every second one. Each run
 * is a separate process, so that its memory is measured alone.
 */
const [first = "100000", place, databaseUrl] = process.argv.slice(2);
if (place === undefined || databaseUrl === undefined) await measureAll(Number(first));
else await measureOne(first, place, databaseUrl);

async function measureAll(accounts: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const postgres = await startPostgres();
  try {
    const lines = await writeLines(join(folder, "people.jsonl"), accounts);
    const old = writeBetterAuth(join(folder, "old.db"), accounts);
    await run("json-lines", lines, `sqlite:${join(folder, "one", "latchkey.db")}`);
    await run("json-lines", lines, `sqlite:${join(folder, "one", "latchkey.db")}`);
    await run("better-auth", old, `sqlite:${join(folder, "two", "latchkey.db")}`);
    await run("json-lines", lines, postgres.url);
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(from: string, place: string, databaseUrl: string): Promise<void> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    import.meta.filename,
    from,
    place,
    databaseUrl,
  ]);
  console.log(stdout.trimEnd());
}

async function measureOne(from: string, place: string, databaseUrl: string): Promise<void> {
  const latchkey = await createLatchkey({
    databaseUrl,
    secretKey: "ab".repeat(32),
    logLevel: "warn",
    oidc: [{ id: "github", clientId: "bench", clientSecret: "bench" }],
  });
  const began = performance.now();
  const source = from === "json-lines" ? readJsonLines(place) : await readBetterAuth(place, [], Date.now());
  const options = { dryRun: false, dropLostTwoFactor: false };
  const hearer = { leftOut() {}, progress() {} };
  const report = await importAccounts(latchkey.parts, source.found, options, hearer);
  const seconds = (performance.now() - began) / 1_000;
  await source.close();
  await latchkey.close();
  const memory = Math.round(process.resourceUsage().maxRSS / 1_024);
  const { accounts, alreadyHere, sessions } = report;
  console.log(
    `${from} to ${databaseUrl.split(":")[0]}: ${accounts} accounts with ${sessions} sessions imported, ${alreadyHere} already here, in ${seconds.toFixed(1)} s, at most ${memory} MB`,
  );
}

function token(): string {
  return randomBytes(24).toString("hex");
}

async function writeLines(file: string, accounts: number): Promise<string> {
  const stream = createWriteStream(file);
  for (let number = 0; number < accounts; number += 1) {
    const line = {
      id: `user-${number}`,
      email: `person${number}@example.com`,
      emailVerified: true,
      createdAt: "2024-03-01T09:00:00Z",
      passwordHash: HASH,
      ...(number % 5 === 0 ? { totpSecret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" } : {}),
      identities: number % 2 === 0 ? [{ provider: "github", subject: String(number) }] : [],
      sessions: [{ token: token(), expiresAt: "2100-01-01T00:00:00Z", userAgent: FIREFOX }],
    };
    stream.write(`${JSON.stringify(line)}\n`);
  }
  stream.end();
  await finished(stream);
  return file;
}

function writeBetterAuth(file: string, accounts: number): string {
  const open = new DatabaseSync(file);
  const time = "2024-03-01T09:00:00.000Z";
  open.exec(BETTER_AUTH_TABLES.sqlite);
  open.exec("begin");
  const user = open.prepare(
    `insert into "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt") values (?, 'Ada', ?, 1, '${time}', '${time}')`,
  );
  const account = open.prepare(
    `insert into "account" ("id", "accountId", "providerId", "userId", "password", "createdAt", "updatedAt") values (?, ?, ?, ?, ?, '${time}', '${time}')`,
  );
  const session = open.prepare(
    `insert into "session" ("id", "expiresAt", "token", "createdAt", "updatedAt", "userAgent", "userId") values (?, '2100-01-01T00:00:00.000Z', ?, '${time}', '${time}', ?, ?)`,
  );
  for (let number = 0; number < accounts; number += 1) {
    const id = `user-${number}`;
    user.run(id, `person${number}@example.com`);
    account.run(`${id}-password`, id, "credential", id, HASH);
    if (number % 2 === 0) account.run(`${id}-github`, String(number), "github", id, null);
    session.run(`${id}-session`, token(), FIREFOX, id);
  }
  open.exec(
    `create index by_user on "account" ("userId"); create index session_by_user on "session" ("userId"); commit`,
  );
  open.close();
  return file;
}
