import pg from "pg";
import { afterEach, describe, expect, test, vi } from "vitest";
import { endBecauseOf } from "../../src/sessions/endings.ts";
import { prune } from "../../src/sessions/prune.ts";
import { hashToken, makeId, makeToken } from "../../src/sessions/token.ts";
import { engineNames } from "../support/databases/engine-names.ts";
import { describeOnEachEngine, type Engine, engineOf } from "../support/databases/engines.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/requests/clock.ts";
import { expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import { type Person, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const HEARTBEAT = 25 * SECOND;

/** Two nodes with one clock, which log out people who were away for five minutes. */
async function startNodes(engine: Engine) {
  const near = await startServer({ engine, idleTimeout: "5m" });
  const { database, secretKey, clock } = near;
  const far = await startServer({ engine, idleTimeout: "5m", database, secretKey, clock });
  return {
    near,
    far,
    /** The same browser, on the other node. */
    atFar(person: Person) {
      const client = far.client();
      client.token = person.client.token;
      return client;
    },
    async close() {
      await far.close();
      await near.close();
    },
  };
}

describeOnEachEngine("An idle limit on two nodes", (engine) => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test("use just before it on one node counts on the other at once", async () => {
    const nodes = await startNodes(engine);
    const person = await signUp(nodes.near);
    const began = Date.parse(person.session.createdAt);
    const { clock } = nodes.near;
    clock.stopAt(began + 5 * MINUTE - 10 * SECOND);
    await expectSignedIn(nodes.atFar(person));
    clock.stopAt(began + 5 * MINUTE + 10 * SECOND);
    await expectSignedIn(person.client);
    clock.stopAt(began + 10 * MINUTE + 10 * SECOND);
    await expectSignedOut(person.client, "idle");
    await nodes.close();
  });

  test("an open page on one node stays while its session is used on the other, and leaves when it isn't", async () => {
    const nodes = await startNodes(engine);
    const person = await signUp(nodes.near);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const live = await person.client.live();
    for (let use = 0; use < 3; use++) {
      nodes.near.clock.advance(4 * MINUTE);
      await expectSignedIn(nodes.atFar(person));
      await nodes.far.latchkey.parts.lastUsed.flush(nodes.far.clock.now());
    }
    await vi.advanceTimersByTimeAsync(HEARTBEAT + SECOND);
    await signIn(nodes.near, person, UA.firefoxWindows);
    await live.nextOf("sessions-changed");
    expect(live.waiting.map(({ event }) => event)).not.toContain("signed-out");
    expect(live.isOpen).toBe(true);
    nodes.near.clock.advance(6 * MINUTE);
    await vi.advanceTimersByTimeAsync(HEARTBEAT + SECOND);
    expect(await live.nextOf("signed-out")).toMatchObject({ data: { reason: "idle" } });
    await nodes.close();
  }, 30_000);

  test("an open page hears of an unannounced ending with its next heartbeat", async () => {
    const nodes = await startNodes(engine);
    const person = await signUp(nodes.near);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const live = await person.client.live();
    const at = nodes.far.clock.now();
    await nodes.far.latchkey.parts.database.write((write) =>
      endBecauseOf(
        { ...write, announce() {} },
        "logged_out_remotely",
        { accountId: person.account.id, id: person.session.id },
        { by: null, at },
        () => null,
      ),
    );
    await vi.advanceTimersByTimeAsync(HEARTBEAT + SECOND);
    expect(await live.nextOf("signed-out")).toMatchObject({ data: { reason: "signed_out_remotely" } });
    await nodes.close();
  }, 30_000);

  test("pruning finds every idle session among many, and no other", async () => {
    const server = await startServer({ engine, idleTimeout: "5m" });
    const person = await signUp(server);
    const now = server.clock.now();
    const idle = await fill(server, person.account.id, now);
    const { parts } = server.latchkey;
    const used = idle.filter((_, number) => number % 9 === 0);
    for (const id of used) await parts.lastUsed.touch(id, now - HOUR, now);
    expect((await prune(parts, now)).sessions).toBe(idle.length - used.length);
    const left = await server.database.read("select id, last_used_at from session");
    expect(left).toHaveLength(MANY - idle.length + used.length + 1);
    expect(left.filter((row) => Number(row.last_used_at) < now - 5 * MINUTE)).toEqual([]);
    await server.close();
  });

  test("last-used times are written by one flush at a time", async () => {
    const server = await startServer({ engine });
    const person = await signUp(server);
    const { parts } = server.latchkey;
    await parts.mailer.settled();
    const { write } = parts.database;
    let underWay = 0;
    let most = 0;
    Object.assign(parts.database, {
      async write(work: Parameters<typeof write>[0]) {
        underWay += 1;
        most = Math.max(most, underWay);
        return write(work).finally(() => {
          underWay -= 1;
        });
      },
    });
    const flushes = [1, 2, 3].map((minutes) => {
      const at = server.clock.now() + minutes * HOUR;
      void parts.lastUsed.touch(person.session.id, at - HOUR, at);
      return parts.lastUsed.flush(at, true);
    });
    await Promise.all(flushes);
    expect(most).toBe(1);
    await server.close();
  });
});

describe.runIf(engineNames().includes("postgres"))("Last-used times on PostgreSQL", () => {
  test("are written without waiting for a locked session, whose time follows with the next ones", async () => {
    const server = await startServer({ engine: engineOf("postgres") });
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    const holding = new pg.Client({ connectionString: server.database.url });
    await holding.connect();
    await holding.query("begin");
    await holding.query("select from session where id = $1 for update", [other.session.id]);
    server.clock.advance(2 * MINUTE);
    for (const client of [person.client, other.client]) await expectSignedIn(client);
    const { lastUsed } = server.latchkey.parts;
    const lag = async () => {
      const rows = await server.database.read("select last_used_at from session order by last_used_at");
      return rows.map((row) => server.clock.now() - Number(row.last_used_at) > MINUTE);
    };
    await lastUsed.flush(server.clock.now());
    expect(await lag()).toEqual([true, false]);
    await holding.query("rollback");
    await holding.end();
    await lastUsed.flush(server.clock.now());
    expect(await lag()).toEqual([false, false]);
    await server.close();
  });
});

const MANY = 2_600;

/** Many sessions of one account, some of them idle, many of which end in the same ms. Returns the idle ones' ids. */
async function fill(server: TestServer, accountId: string, now: number): Promise<string[]> {
  const rows = Array.from({ length: MANY }, (_, number) => ({
    token_hash: hashToken(makeToken()),
    id: makeId(),
    account_id: accountId,
    browser: null,
    os: null,
    label: "Unknown device",
    created_at: now - DAY,
    expires_at: now + DAY + (number % 2 === 0 ? 0 : number),
    last_used_at: number % 3 === 0 ? now - HOUR : now,
    signed_in_with: "password" as const,
    method_id: "password",
    proved_at: 0,
    replacement_key: null,
  }));
  await server.latchkey.parts.database.write(async ({ query }) => {
    for (let start = 0; start < rows.length; start += 400) {
      await query
        .insertInto("session")
        .values(rows.slice(start, start + 400))
        .execute();
    }
  });
  return rows.filter((row) => row.last_used_at < now).map(({ id }) => id);
}
