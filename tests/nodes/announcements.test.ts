import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import { type Person, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { latchkey as run } from "../support/servers/command-line.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const KEY = "ab".repeat(32);

describe("The connection for other nodes' announcements", () => {
  let database: TestDatabase;
  let here: TestServer;
  let person: Person;
  beforeAll(async () => {
    database = await engineOf("postgres").createDatabase();
    here = await startServer({ engine: engineOf("postgres"), database, secretKey: KEY });
    person = await signUp(here);
  });
  afterAll(async () => {
    await here.close();
    await database.drop();
  });

  let proxy: FaultProxy;
  beforeEach(async () => {
    proxy = await FaultProxy.start(new URL(database.url));
  });
  afterEach(() => proxy.stop());

  const startThere = () =>
    startInOwnProcess({
      databaseUrl: database.url,
      listenUrl: proxy.through(database.url),
      outbox: here.outbox.folder,
      secretKey: KEY,
    });

  const isListening = () =>
    expect
      .poll(() =>
        database.read(
          "select from pg_stat_activity where datname = current_database() and query ilike 'listen %'",
        ),
      )
      .toHaveLength(1);

  test("brings a node nothing of what it did itself, so that its open pages are told once", async () => {
    const node = await startServer({ engine: engineOf("postgres"), database, secretKey: KEY });
    const own = await signUp(node);
    const page = await own.client.live();
    // Since it listens from now on, it may have missed something.
    await page.nextOf("sessions-changed");
    const toldBy = async (change: () => Promise<unknown>) => {
      await change();
      await page.nextOf("sessions-changed");
    };
    const { id } = own.account;
    // By whoever names no node, by another node, and by itself.
    for (const payload of [id, `${id} another-node`, ""])
      await toldBy(() => database.read(`select pg_notify('latchkey_sessions', '${payload}')`));
    await toldBy(() => signIn(node, own, UA.firefoxWindows));
    await toldBy(() => database.read(`select pg_notify('latchkey_sessions', '${id}')`));
    expectNoContent(await own.client.delete("/api/session"));
    expect((await page.next()).event).toBe("signed-out");
    await node.close();
  });

  test("that a network has silently dropped is noticed and replaced, and doesn't delay a stop", async () => {
    const there = await startThere();
    const { client, session } = await signIn(there, person, UA.firefoxWindows);
    const page = await client.live();
    await isListening();
    proxy.forget();
    expectNoContent(await person.client.delete(`/api/sessions/${session.id}`));
    const began = performance.now();
    expect(await page.nextOf("signed-out", 30_000)).toMatchObject({
      data: { reason: "signed_out_remotely" },
    });
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(there.log().filter((line) => line.includes("LATCHKEY_LISTEN_URL"))).toEqual([]);
    proxy.forget();
    expect(await there.stop()).toBeLessThan(4_000);
  });

  test("that can't be opened is logged once, and once more when it is back; doctor says so, too", async () => {
    proxy.fault = "refuse";
    const there = await startThere();
    const { client } = await signIn(there, person, UA.firefoxWindows);
    await client.live();
    await there.hasSaid("LATCHKEY_LISTEN_URL: the connection for announcements can't be opened");
    const env = {
      DATABASE_URL: database.url,
      LATCHKEY_SECRET_KEY: KEY,
      LATCHKEY_LISTEN_URL: proxy.through(database.url),
    };
    const doctor = async (listenUrl = env.LATCHKEY_LISTEN_URL) =>
      (await run(["doctor"], { cwd: database.folder, env: { ...env, LATCHKEY_LISTEN_URL: listenUrl } })).out;
    expect(await doctor()).toMatch(
      /warn\s+LATCHKEY_LISTEN_URL: the connection for announcements can't be opened/,
    );
    proxy.fault = "none";
    await there.hasSaid("LATCHKEY_LISTEN_URL: the connection for announcements is back");
    await there.hasSaid("LATCHKEY_LISTEN_URL: the connection for announcements can't be opened");
    expect(await doctor()).toMatch(/ok\s+Announcements of other nodes arrive \(LATCHKEY_LISTEN_URL\)\./);
    const elsewhere = Object.assign(new URL(database.url), { pathname: "/postgres" }).href;
    expect(await doctor(elsewhere)).toMatch(
      /warn\s+LATCHKEY_LISTEN_URL: announcements of other nodes don't arrive/,
    );
    await there.stop();
  });

  test.each(["nonsense", "http://[", "sqlite:./app.db"])(
    "LATCHKEY_LISTEN_URL=%s stops the start with one line",
    async (value) => {
      const env = { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: KEY, LATCHKEY_LISTEN_URL: value };
      const { code, err } = await run(["serve"], { cwd: database.folder, env });
      expect([code, err]).toEqual([
        1,
        "LATCHKEY_LISTEN_URL takes postgres://user:password@host:5432/database.\n",
      ]);
    },
  );
});
