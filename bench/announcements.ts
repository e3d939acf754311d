import { sql } from "kysely";
import pg from "pg";
import type { Write } from "../src/database/database.ts";
import { lockAccount } from "../src/database/lock.ts";
import { openPostgres } from "../src/database/postgres/postgres.ts";
import { endBecauseOf } from "../src/sessions/endings.ts";
import { hashToken, makeId, makeToken } from "../src/sessions/token.ts";
import { startPostgres } from "../tests/support/databases/postgres.ts";
import { startSynchronousStandby } from "../tests/support/databases/standby.ts";

/**
 * `node bench/announcements.ts [SECONDS]`: sign-ins and endings a second on PostgreSQL with a synchronous
 * standby that takes 5 ms to answer, from three nodes, with the NOTIFY inside each transaction against one
 * after the commit, in turn.
 */
const seconds = Number(process.argv[2] ?? 4);
const ROUNDS = 3;
const AT_ONCE = 10; // per node, as many as it has connections
const AWAY = 5; // ms that the standby takes to answer
const DAY = 86_400_000;

const postgres = await startPostgres();
const standby = await startSynchronousStandby(postgres);
await set(standby.url, `recovery_min_apply_delay = '${AWAY}ms'`);
await set(postgres.url, "synchronous_commit = remote_apply");
const open = () => openPostgres({ url: postgres.url, listenUrl: null, notice: () => {} });
const nodes = [await open(), await open(), await open()];
const stopHearing = nodes.map((node) => node.onAnnouncement(() => {}));
await nodes[0]?.write(async ({ query }) => {
  const accounts = Array.from({ length: nodes.length * AT_ONCE }, (_, number) => ({
    id: `account-${number}`,
    email: `a${number}@example.test`,
    email_key: `a${number}@example.test`,
    credential_version: 1,
    created_at: 0,
  }));
  await query.insertInto("account").values(accounts).execute();
});

const inside: number[] = [];
const after: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  inside.push(await rate("inside"));
  after.push(await rate("after"));
}
const median = (of: number[]) => of.sort((one, other) => one - other)[Math.floor(of.length / 2)] ?? 0;
const [before, now] = [median(inside), median(after)];
console.log(
  `Sign-ins and endings a second: ${before} with NOTIFY in the transaction, ${now} after the commit (${(now / before).toFixed(1)} times)`,
);
for (const stop of stopHearing) stop();
for (const node of nodes) await node.close();
await standby.stop();
await postgres.stop();

async function set(url: string, setting: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`alter system set ${setting}`);
  await client.query("select pg_reload_conf()");
  await client.end();
}

async function rate(how: "inside" | "after"): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let done = 0;
  const worker = async (number: number) => {
    const node = nodes[number % nodes.length];
    const accountId = `account-${number}`;
    const write = <T>(work: (write: Write) => Promise<T>) =>
      node?.write(async (tx) => {
        if (how === "after") return work(tx);
        const value = await work({ ...tx, announce() {} });
        await sql`select pg_notify('latchkey_sessions', ${accountId})`.execute(tx.query);
        return value;
      });
    while (performance.now() < end) {
      const id = makeId();
      await write((tx) => begin(tx, accountId, id));
      await write((tx) => finish(tx, accountId, id));
      done += 2;
    }
  };
  await Promise.all(Array.from({ length: nodes.length * AT_ONCE }, (_, number) => worker(number)));
  return Math.round(done / seconds);
}

/** What a sign-in writes to the database, without its hashing. */
async function begin(write: Write, accountId: string, id: string): Promise<void> {
  await lockAccount(write, accountId);
  const now = Date.now();
  const row = { id, account_id: accountId, token_hash: hashToken(makeToken()), replacement_key: null };
  const device = { browser: null, os: null, label: "Unknown device", signed_in_with: "password" as const };
  const times = { created_at: now, expires_at: now + DAY, last_used_at: now, proved_at: now };
  await write.query
    .insertInto("session")
    .values({ ...row, ...device, ...times, method_id: "password" })
    .execute();
  write.announce(accountId);
}

async function finish(write: Write, accountId: string, id: string): Promise<void> {
  await lockAccount(write, accountId);
  await endBecauseOf(write, "logged_out", { accountId, id }, { by: null, at: Date.now() }, () => null);
}
