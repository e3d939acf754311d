import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineOf, postgresAt, type TestDatabase } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { type Postgres, serve, startPostgres } from "../support/databases/postgres.ts";
import { isSignedIn, type Person, signUp, trySignIn } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const AGENTS = [UA.firefoxWindows, UA.safariIphone, UA.edgeWindows];
const PEOPLE = 5;

describe("A PostgreSQL that goes away under load and comes back", () => {
  let postgres: Postgres;
  let database: TestDatabase;
  let proxy: FaultProxy;
  let server: TestServer;
  let people: Person[];
  const target = new URL("postgres://127.0.0.1");

  beforeAll(async () => {
    postgres = await startPostgres();
    database = await postgresAt(postgres.url).createDatabase();
    target.port = new URL(postgres.url).port;
    proxy = await FaultProxy.start(target);
    server = await startServer({
      engine: engineOf("postgres"),
      database: { ...database, url: proxy.through(database.url) },
      rateLimits: "off",
    });
    people = await Promise.all(Array.from({ length: PEOPLE }, () => signUp(server)));
  });
  afterAll(async () => {
    await server?.close();
    await proxy?.stop();
    await postgres?.stop();
  });

  /** People sign in elsewhere and end that session again, until told to stop; returns how it went. */
  function load() {
    const ended: string[] = [];
    const statuses = new Map<number, number>();
    let isOver = false;
    const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const all = Promise.all(
      people.map(async (person, first) => {
        for (let turn = first; !isOver; turn++) {
          const browser = server.client(AGENTS[turn % AGENTS.length]);
          const { status, body } = await trySignIn(browser, person);
          count(status);
          if (body.session === undefined) continue;
          const answer = await person.client.delete(`/api/sessions/${body.session.id}`);
          count(answer.status);
          if (answer.status === 204) ended.push(browser.token);
        }
      }),
    );
    return {
      ended,
      has: (least: number) => expect.poll(() => ended.length, { timeout: 60_000 }).toBeGreaterThan(least),
      async stop() {
        isOver = true;
        await all;
        // Ending may meet a session that an unanswered sign-in has replaced.
        expect([...statuses.keys()].filter((status) => ![201, 204, 404, 503].includes(status))).toEqual([]);
        expect(statuses.get(503)).toBeGreaterThan(0);
      },
    };
  }

  /** Nothing that was ended is live, nothing is half done, and whoever was signed in still is. */
  async function expectWhole(ended: string[]): Promise<void> {
    expect(await Promise.all(people.map(({ client }) => isSignedIn(client)))).not.toContain(false);
    for (const token of ended) {
      const browser = server.client();
      browser.token = token;
      expect((await browser.get("/api/session")).body).toMatchObject({
        code: "signed_out",
        reason: "signed_out_remotely",
      });
    }
    const read = async (text: string) =>
      (await sql.raw(text).execute(server.latchkey.parts.database.read)).rows;
    expect(await read("select from session join ended_session using (token_hash)")).toEqual([]);
    expect(
      await read(
        "select from session where replacement_key is not null group by account_id, replacement_key having count(*) > 1",
      ),
    ).toEqual([]);
    const open =
      "select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
    await expect.poll(() => read(open), { timeout: 15_000 }).toEqual([]);
  }

  test("for ten seconds: what was answered holds, nothing is half done, and the node recovers by itself", async () => {
    const { ended, has, stop } = load();
    await has(10);
    proxy.fault = "refuse";
    proxy.cut();
    await wait(10_000);
    proxy.fault = "none";
    await has(ended.length + 10);
    await stop();
    await expectWhole(ended);
  });

  test("after an immediate shutdown, while it recovers from its log: the same", async () => {
    const { ended, has, stop } = load();
    await has(10);
    const { binaries, data, owner, folder } = postgres.place;
    const stopping = spawn(join(binaries, "pg_ctl"), ["-D", data, "-m", "immediate", "-w", "stop"], {
      ...owner,
      cwd: folder,
      stdio: "ignore",
    });
    expect(await once(stopping, "exit")).toEqual([0, null]);
    const { password } = new URL(postgres.url);
    postgres = await serve(postgres.place, password);
    target.port = new URL(postgres.url).port;
    await has(ended.length + 10);
    await stop();
    await expectWhole(ended);
  });
});
