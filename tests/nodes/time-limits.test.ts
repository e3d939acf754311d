import pg from "pg";
import { describe, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { expectStatus, listOf, PASSWORD, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";
import { startServer } from "../support/servers/server.ts";

/** A database, a proxy in front of it, and how to close both. */
async function behindProxy() {
  const database = await engineOf("postgres").createDatabase();
  const proxy = await FaultProxy.start(new URL(database.url));
  return {
    database,
    proxy,
    start: () =>
      startServer({
        engine: engineOf("postgres"),
        database: { ...database, url: proxy.through(database.url) },
        rateLimits: "off",
      }),
    async leave() {
      await proxy.stop();
      await database.drop();
    },
  };
}

/**
 * Statements that wait at the server for a lock, for a client that still waits or for one that has given up.
 */
const WAITING =
  "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

async function took(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work;
  return performance.now() - began;
}

describe.concurrent("What waits for PostgreSQL", () => {
  test("is refused 5 s after it was asked, whatever it waited for", async ({ expect }) => {
    const { proxy, start, leave } = await behindProxy();
    const server = await start();
    const { client } = await signUp(server);
    proxy.fault = "hang";
    const checks = Array.from({ length: 5 }, async (_, turn) => {
      await new Promise((resolve) => setTimeout(resolve, turn * 900));
      return took(client.get("/api/session").then((answer) => expectRefusal(answer, 503, "unavailable")));
    });
    const write = took(
      client.delete("/api/sessions").then((answer) => expectRefusal(answer, 503, "unavailable")),
    );
    for (const ms of await Promise.all(checks)) expect(ms).toBeLessThan(8_000);
    // Its check and its transaction, each within its time; no rollback on a dead connection.
    expect(await write).toBeLessThan(13_000);
    await server.close();
    await leave();
  });

  test("doesn't delay a stop, though connections are open that nothing comes through", async ({ expect }) => {
    const { database, proxy, leave } = await behindProxy();
    const node = await startInOwnProcess({
      databaseUrl: proxy.through(database.url),
      outbox: database.folder,
    });
    const { client } = await signUp(node);
    await Promise.all(Array.from({ length: 6 }, () => listOf(client)));
    proxy.fault = "hang";
    expect(await node.stop()).toBeLessThan(25_000);
    await leave();
  });

  test("starts all the same if it can connect and then hears nothing", async ({ expect }) => {
    const { proxy, start, leave } = await behindProxy();
    proxy.fault = "silent";
    const began = performance.now();
    const server = await start();
    expect(performance.now() - began).toBeLessThan(20_000);
    expect((await server.client().get("/readyz")).status).toBe(503);
    proxy.fault = "none";
    proxy.cut();
    await expectSignedIn((await signUp(server)).client);
    await server.close();
    await leave();
  });

  test("starts all the same while another node migrates, and goes on when that is done", async ({
    expect,
  }) => {
    const { database, start, leave } = await behindProxy();
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query("select pg_advisory_lock(7305881201)");
    const server = await start();
    expect((await server.client().get("/readyz")).status).toBe(503);
    await expect.poll(() => database.read(WAITING)).toEqual([]);
    await other.end();
    await expectSignedIn((await signUp(server)).client);
    await server.close();
    await leave();
  });

  test("leaves no check waiting at the server that nobody waits for", async ({ expect }) => {
    const { database, start, leave } = await behindProxy();
    const server = await start();
    const { client } = await signUp(server);
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query("begin; lock table session in access exclusive mode");
    expectRefusal(await client.get("/api/session"), 503, "unavailable");
    await expect.poll(() => database.read(WAITING), { timeout: 20_000 }).toEqual([]);
    await holder.end();
    await expectSignedIn(client);
    await server.close();
    await leave();
  });

  test("leaves no read waiting at the server that nobody waits for, so that none pile up", async ({
    expect,
  }) => {
    const { database, start, leave } = await behindProxy();
    const server = await start();
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query("begin; lock table account in access exclusive mode");
    const answer = await server.client().post("/api/session", { email: "a@example.com", password: PASSWORD });
    expectRefusal(answer, 503, "unavailable");
    await expect.poll(() => database.read(WAITING)).toEqual([]);
    await holder.end();
    await server.close();
    await leave();
  });

  test("gives a migration longer than the server gives any other statement", async ({ expect }) => {
    const { database, start, leave } = await behindProxy();
    await database.read(`create function pause() returns event_trigger language plpgsql as
      'begin perform pg_sleep(2); end'`);
    await database.read(`create event trigger pause on ddl_command_start when tag in ('CREATE FUNCTION')
      execute function pause()`);
    const name = new URL(database.url).pathname.slice(1);
    await database.read(`alter database "${name}" set statement_timeout = '1s'`);
    const server = await start();
    expect((await server.client().get("/readyz")).status).toBe(200);
    await server.close();
    await leave();
  });

  test("holds up one account only: however much waits for it, others are answered", async ({ expect }) => {
    const { database, start, leave } = await behindProxy();
    const server = await start();
    const [ada, bob] = [await signUp(server), await signUp(server)];
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query(`begin; select from account where id = '${ada.account.id}' for update`);
    const flood = Array.from({ length: 30 }, () => ada.client.delete("/api/sessions"));
    await expect.poll(async () => (await database.read(WAITING)).length).toBeGreaterThan(0);
    expectStatus(200, await bob.client.delete("/api/sessions"));
    expect((await server.client().get("/readyz")).status).toBe(200);
    await holder.end();
    for (const answer of await Promise.all(flood)) expect([200, 503]).toContain(answer.status);
    await server.close();
    await leave();
  });

  test("a node that vanishes within a transaction keeps its account locked for seconds", async ({
    expect,
  }) => {
    const { database, proxy, start, leave } = await behindProxy();
    const [vanishing, other] = [
      await start(),
      await startServer({ engine: engineOf("postgres"), database, rateLimits: "off" }),
    ];
    const person = await signUp(other);
    let isLocked = () => {};
    const locked = new Promise<void>((resolve) => {
      isLocked = resolve;
    });
    const never = vanishing.latchkey.parts.database.write(async ({ query }) => {
      await query.selectFrom("account").select("id").forUpdate().execute();
      proxy.fault = "hang";
      isLocked();
      await query.selectFrom("account").select("id").execute();
    });
    // What was under way is given up with its connection: no rollback is attempted on it.
    const gaveUp = locked.then(() => took(never.catch(() => {})));
    await locked;
    expectRefusal(await person.client.delete("/api/sessions"), 503, "unavailable");
    expect(await database.read(WAITING)).toEqual([]);
    await expect
      .poll(async () => (await person.client.delete("/api/sessions")).status, { timeout: 25_000 })
      .toBe(200);
    expect(await gaveUp).toBeLessThan(8_500);
    await Promise.all([other.close(), vanishing.close()]);
    await leave();
  });

  test("a transaction with a statement that failed unnoticed isn't taken as done", async ({ expect }) => {
    const { start, leave } = await behindProxy();
    const server = await start();
    const person = await signUp(server);
    const write = server.latchkey.parts.database.write(async ({ query }) => {
      await query.deleteFrom("session").execute();
      await query
        .insertInto("used_step")
        .values({ account_id: "nobody", step: 1 })
        .execute()
        .catch(() => {});
    });
    await expect(write).rejects.toThrow("nothing was changed");
    await expectSignedIn(person.client);
    expectStatus(
      201,
      await server.client(UA.firefoxWindows).post("/api/session", {
        email: person.email,
        password: person.password,
      }),
    );
    await server.close();
    await leave();
  });
});
