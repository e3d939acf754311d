import { describe, expect, test, vi } from "vitest";
import { BOUND, BoundBrowser, copyOf, signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { holdWrites } from "../support/databases/hold-writes.ts";
import { type Answer, need } from "../support/requests/answers.ts";
import { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { listOf, PASSWORD, signUp } from "../support/requests/people.ts";
import { serverFor, startServer, type TestServer } from "../support/servers/server.ts";

const BASE = "https://app.example.test";

describeOnEachEngine("While the database is down", (engine) => {
  /** Runs `during` on a server whose database is gone, then `then` on one whose database is back. */
  async function outage<T>(
    before: (server: TestServer) => Promise<T>,
    during: (had: T) => Promise<void>,
    then: (had: T, port: number) => Promise<void>,
  ): Promise<void> {
    const database = await engine.createDatabase();
    const gone = await startServer({ engine, database, baseUrl: BASE });
    const had = await before(gone);
    await gone.latchkey.parts.database.close();
    await during(had);
    // Its database is closed: closing it again throws.
    await gone.close().catch(() => {});
    const { clock, secretKey } = gone;
    const back = await startServer({ engine, database, baseUrl: BASE, clock, secretKey });
    try {
      await then(had, back.port);
    } finally {
      await back.close();
      await database.drop();
    }
  }

  test("a registration is 503, which leaves the session as it was; later it succeeds", () =>
    outage(
      async (server) => {
        const { email, client } = await signUp(server);
        return { client, signedIn: await client.post("/api/session", { email, password: PASSWORD }) };
      },
      async ({ client, signedIn }) => {
        const answer = await new BoundBrowser(client).register(signedIn);
        expectRefusal(answer, 503, "unavailable");
        expect(answer.setCookies).toEqual([]);
      },
      async ({ client, signedIn }, port) => {
        const there = moved(client, port);
        await expectSignedIn(there);
        expect((await new BoundBrowser(there).register(signedIn)).status).toBe(200);
        await expectSignedIn(there);
        expect(await listOf(there)).toMatchObject([{ bound: true }]);
      },
    ));

  test("a refresh is 503, which keeps both cookies and the binding; later the same proof is valid", () =>
    outage(
      (server) => signUpBound(server),
      async ({ browser, client }) => {
        const cookies = client.jar.header();
        const answer = await browser.refreshOnce();
        expectRefusal(answer, 503, "unavailable");
        expect(answer.setCookies).toEqual([]);
        expect(client.jar.header()).toBe(cookies);
      },
      async ({ browser, client }, port) => {
        const there = moved(client, port);
        await expectSignedIn(there);
        const { key, challenge, sessionId } = browser;
        const same = Object.assign(new BoundBrowser(there), { key, challenge, sessionId });
        same.dropCookie();
        expect((await same.refreshOnce()).status).toBe(200);
        await expectSignedIn(there);
      },
    ));

  /** The same browser, with requests to this port. */
  function moved({ jar }: Client, port: number): Client {
    const there = new Client({ baseUrl: BASE, port });
    for (const name of jar.names()) there.jar.set(name, jar.get(name) ?? "");
    return there;
  }
});

describeOnEachEngine("What binding costs", (engine) => {
  const server = serverFor(engine, { baseUrl: BASE });

  test("takes one transaction per refresh, one per registration, and one when the bound cookie is first sent", async () => {
    const { parts } = server().latchkey;
    const writes = vi.spyOn(parts.database, "write");
    // Last-used times are written every few seconds, in between.
    const uses = vi.spyOn(parts.lastUsed, "touch").mockReturnValue(undefined);
    const costs = async (what: Promise<{ status: number }>) => {
      const before = writes.mock.calls.length;
      const { status } = await what;
      return { status, transactions: writes.mock.calls.length - before };
    };
    const once = { status: 200, transactions: 1 };
    const { email, client } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    const browser = new BoundBrowser(client);
    // The emails of the sign-up and the sign-in are on their way.
    await server().outbox.all();
    expect(await costs(browser.register(signedIn))).toEqual(once);
    expect(await costs(client.get("/api/session"))).toEqual(once);
    expect(await costs(client.get("/api/session"))).toEqual({ status: 200, transactions: 0 });
    for (let round = 0; round < 3; round++) {
      server().clock.advance(9 * MINUTE);
      expect(await costs(browser.refreshOnce())).toEqual(once);
    }
    expect(await costs(browser.refreshOnce(null))).toEqual({ status: 403, transactions: 0 });
    uses.mockRestore();
    writes.mockRestore();
  });

  test("takes one transaction for all uses of a copy: none while its owner is being notified, and none afterwards", async () => {
    const { client } = await signUpBound(server());
    const copy = copyOf(server(), client, ["__Host-latchkey"]);
    const { parts } = server().latchkey;
    // Whatever the server would write by itself meanwhile is written before.
    await server().outbox.all();
    await parts.lastUsed.flush(server().clock.now(), true);
    const writes = vi.spyOn(parts.database, "write");
    const costOfFiveUses = async () => {
      writes.mockClear();
      for (let times = 0; times < 5; times++)
        expectRefusal(await copy.get("/api/session"), 401, "device_proof_needed");
      return writes.mock.calls.length;
    };
    const letGo = await holdWrites(server().database, "select id from account for update");
    expect(await costOfFiveUses()).toBe(1);
    await letGo();
    await server().outbox.all();
    expect(await costOfFiveUses()).toBe(0);
    writes.mockRestore();
  });
});

describe("What was read before its session ended", () => {
  describeOnEachEngine("and is written after it", (engine) => {
    const server = serverFor(engine, { baseUrl: BASE });

    /** The session ends once the request has come as far as its lock. */
    async function endingDuring(id: string, ask: () => Promise<Answer>): Promise<Answer> {
      const which = `session where id = '${id}'`;
      const end = await holdWrites(server().database, `select id from ${which} for update`);
      const asked = ask();
      // Later requests are answered once this one has come that far.
      for (let times = 0; times < 20; times++) await server().client().get("/healthz");
      await end(`delete from ${which}`);
      const answer = await asked;
      expect(await server().database.read(`select id from ${which}`)).toEqual([]);
      return answer;
    }

    test("a refresh fails: it gives no cookie, and revives nothing", async () => {
      const { browser, client } = await signUpBound(server());
      const had = client.jar.get(BOUND);
      const answer = await endingDuring(browser.sessionId, () => browser.refreshOnce());
      expectRefusal(answer, 401, "signed_out");
      expect(answer.setCookies).toEqual([]);
      expect(client.jar.get(BOUND)).toBe(had);
      expect((await copyOf(server(), client).get("/api/session")).status).toBe(401);
    });

    test("a registration fails, too", async () => {
      const { email, client } = await signUp(server());
      const signedIn = await client.post("/api/session", { email, password: PASSWORD });
      const register = () => new BoundBrowser(client).register(signedIn);
      const answer = await endingDuring(need(signedIn, "session").id, register);
      expectRefusal(answer, 401, "signed_out");
      expect(answer.setCookies).toEqual([]);
    });
  });
});
