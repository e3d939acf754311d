import { createHash } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";

import { readAccounts } from "../../src/cli/accounts.ts";
import { readNewest } from "../../src/cli/sessions.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { HOUR, MINUTE } from "../support/requests/clock.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

/** Enough that a query planner reads and sorts them all only if it must. */
const MANY = 3_000;
const LIFETIME = 30 * 24 * HOUR;

describeOnEachEngine("The first page of an endless list", (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine });
    await plant(server);
  });
  afterAll(() => server.close());

  const list = async (words: string[], env: Record<string, string> = {}) => {
    const { database, secretKey } = server;
    const own = { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: secretKey, ...env };
    const { out } = await latchkey([...words, "--json"], { cwd: database.folder, env: own });
    return (JSON.parse(out) as { email: string }[]).map(({ email }) => email);
  };

  test("of accounts is by email address", async () => {
    expect(await list(["accounts", "list", "--limit", "2"])).toEqual([addressOf(0), addressOf(1)]);
  });

  test("of sessions begins with the newest, and leaves out those that were idle for too long", async () => {
    expect(await list(["sessions", "list", "--limit", "2"])).toEqual([addressOf(0), addressOf(1)]);
    const idle = { LATCHKEY_IDLE_TIMEOUT: "1h" };
    expect(await list(["sessions", "list", "--limit", "2"], idle)).toEqual([addressOf(1), addressOf(2)]);
  });

  test("is read in the order of an index, and nothing else is read", async () => {
    const { parts } = server.latchkey;
    const how = engine.name === "sqlite" ? sql`query plan` : undefined;
    const plans = [
      JSON.stringify(await readAccounts(parts.database).limit(101).explain(undefined, how)),
      JSON.stringify(await readNewest(parts).limit(101).explain(undefined, how)),
    ];
    expect(plans).toEqual([
      expect.stringMatching(/account_email_key_key|sqlite_autoindex_account_2/),
      expect.stringContaining("session_expires_at"),
    ]);
    for (const plan of plans) expect(plan).not.toMatch(/Seq Scan on (account|session)|FOR ORDER BY/);
  });
});

const addressOf = (at: number) => `${String(at).padStart(4, "0")}@example.test`;

/** Accounts with one session each: the older the account, the newer its session; only the newest session is idle. */
async function plant({ latchkey: { parts }, clock }: TestServer): Promise<void> {
  const now = clock.now();
  const all = Array.from({ length: MANY }, (_, at) => at);
  await parts.database.write(async ({ query }) => {
    for (let from = 0; from < MANY; from += 500) {
      const page = all.slice(from, from + 500);
      await query
        .insertInto("account")
        .values(page.map((at) => accountRow(at, now)))
        .execute();
      await query
        .insertInto("session")
        .values(page.map((at) => sessionRow(at, now)))
        .execute();
    }
    await sql`analyze`.execute(query);
  });
}

const accountRow = (at: number, now: number) => ({
  id: `account-${MANY - at}`,
  email: addressOf(at),
  email_key: addressOf(at),
  credential_version: 1,
  created_at: now - at,
});

const sessionRow = (at: number, now: number) => ({
  token_hash: createHash("sha256").update(addressOf(at)).digest(),
  id: `session-${MANY - at}`,
  account_id: `account-${MANY - at}`,
  label: "Chrome on Linux",
  created_at: now - 2 * HOUR - at,
  expires_at: now - 2 * HOUR - at + LIFETIME,
  last_used_at: at === 0 ? now - 2 * HOUR : now - MINUTE + at,
  signed_in_with: "password" as const,
  method_id: "password",
  proved_at: now,
});
