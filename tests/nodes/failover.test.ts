import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineOf, postgresAt, type TestDatabase } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { type Postgres, startPostgres } from "../support/databases/postgres.ts";
import { startSynchronousStandby } from "../support/databases/standby.ts";
import { expectSignedIn } from "../support/requests/expectations.ts";
import { isSignedIn, type Person, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { latchkey as run } from "../support/servers/command-line.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const PEOPLE = 6;
const AGENTS = [UA.firefoxWindows, UA.safariIphone, UA.edgeWindows];
/** How many endings are answered before the primary loses power, with others still under way. */
const ENDINGS = 30;

describe("A primary that dies under load, and its synchronous standby", () => {
  let primary: Postgres;
  let standby: Awaited<ReturnType<typeof startSynchronousStandby>>;
  let database: TestDatabase;
  let proxy: FaultProxy;
  let server: TestServer;
  const target = new URL("postgres://127.0.0.1");

  beforeAll(async () => {
    primary = await startPostgres();
    standby = await startSynchronousStandby(primary);
    database = await postgresAt(primary.url).createDatabase();
    target.port = new URL(primary.url).port;
    proxy = await FaultProxy.start(target);
    const through = proxy.through(database.url);
    server = await startServer({
      engine: engineOf("postgres"),
      database: { ...database, url: through },
      rateLimits: "off",
    });
  });
  afterAll(async () => {
    await server?.close();
    await proxy?.stop();
    await standby?.stop();
    await primary?.stop();
  });

  const runAt = (url: string, ...words: string[]) =>
    run(words, { cwd: database.folder, env: { DATABASE_URL: url, LATCHKEY_SECRET_KEY: server.secretKey } });

  test("doctor tells a standby that is synchronous from one that isn't, or that this user may not see", async () => {
    await database.read("create role app login password 'app'");
    for (const right of [
      "all on schema public",
      "select, insert, update, delete on all tables in schema public",
    ])
      await database.read(`grant ${right} to app`);
    const app = Object.assign(new URL(database.url), { username: "app", password: "app" }).href;
    expect((await runAt(database.url, "doctor")).out).toMatch(
      /ok\s+The standby servers are synchronous \(standby\)\./,
    );
    expect((await runAt(app, "doctor")).out).toMatch(/warn\s+Whether .* grant it pg_read_all_stats\./);
    await database.read("grant pg_read_all_stats to app");
    expect((await runAt(app, "doctor")).out).toMatch(/ok\s+The standby servers are synchronous/);
    await standby.follow("");
    await database.read("revoke pg_read_all_stats from app");
    for (const url of [app, database.url])
      expect((await runAt(url, "doctor")).out).toMatch(
        /warn\s+None of 1 standby servers is synchronous: a failover/,
      );
    await standby.follow("FIRST 1 (other, standby)");
    await database.read("grant pg_read_all_stats to app");
    expect((await runAt(app, "doctor")).out).toMatch(/ok\s+The standby servers are synchronous/);
  });

  test("is the only one that is read: a standby gives 503, doesn't stop a start, and is reported", async () => {
    const { client } = await signUp(server);
    target.port = new URL(standby.url).port;
    proxy.cut();
    for (const path of ["/api/session", "/verify", "/readyz"])
      expect((await client.get(path)).status).toBe(503);
    const there = Object.assign(new URL(database.url), { port: new URL(standby.url).port }).href;
    const { code, err } = await runAt(there, "migrate");
    expect(code).toBe(1);
    expect(err.trimEnd().split("\n").at(-1)).toMatch(/^DATABASE_URL: this server is a standby/);
    target.port = new URL(primary.url).port;
    await expectSignedIn(client);
  });

  test("every ending that was answered holds after the promotion, and the node goes on by itself", async () => {
    const people = await Promise.all(Array.from({ length: PEOPLE }, () => signUp(server)));
    const ended: string[] = [];
    let isDead = false;
    let enough = () => {};
    const wereEnough = new Promise<void>((resolve) => {
      enough = resolve;
    });

    /** Signs in elsewhere and ends that session again, until the database is gone. */
    async function goOn(person: Person, turn = 0): Promise<void> {
      while (!isDead) {
        const agent = AGENTS[turn++ % AGENTS.length] ?? UA.edgeWindows;
        const device = await signIn(server, person, agent).catch(() => null);
        if (!device) continue;
        const { status } = await person.client.delete(`/api/sessions/${device.session.id}`);
        if (status === 204) ended.push(device.client.token);
        if (ended.length >= ENDINGS) enough();
      }
    }
    const load = people.map((person) => goOn(person));
    await wereEnough;
    await primary.kill();
    isDead = true;
    proxy.cut();
    await Promise.all(load);
    const client = people[0]?.client ?? server.client();
    expect((await client.get("/api/session")).status).toBe(503);

    await standby.promote();
    target.port = new URL(standby.url).port;
    await expect.poll(async () => (await client.get("/api/session")).status, { timeout: 20_000 }).toBe(200);
    expect(await Promise.all(people.map((person) => isSignedIn(person.client)))).not.toContain(false);
    expect(ended.length).toBeGreaterThanOrEqual(ENDINGS);
    for (const token of ended) {
      const browser = server.client();
      browser.token = token;
      expect((await browser.get("/api/session")).body).toMatchObject({
        code: "signed_out",
        reason: "signed_out_remotely",
      });
    }
    console.log(`${ended.length} endings were answered before the primary died; all hold on the other.`);
  });
});
