import pg from "pg";
import { describe, expect, test } from "vitest";
import { endEveryone } from "../../src/operator.ts";
import { prune } from "../../src/sessions/prune.ts";
import { renewToken } from "../../src/sessions/renew.ts";
import { engineNames } from "../support/databases/engine-names.ts";
import { describeOnEachEngine, engineOf } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import { DAY, HOUR } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedOut } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  isSignedIn,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signUp,
  trySignIn,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { rightAfter } from "../support/servers/meanwhile.ts";
import { serverFor, startServer, type TestServer } from "../support/servers/server.ts";

const AGENTS = [UA.firefoxWindows, UA.safariIphone, UA.edgeWindows, UA.firefoxLinux];
const ROUNDS = 12;

/** Waits until some statement waits for a lock. */
async function untilSomeoneWaits({ database }: TestServer): Promise<void> {
  const waiting =
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await expect.poll(async () => (await database.read(waiting)).length, { timeout: 5_000 }).toBeGreaterThan(0);
}

async function deadlocks({ database }: TestServer): Promise<number> {
  const counted = "select deadlocks from pg_stat_database where datname = current_database()";
  return Number((await database.read(counted))[0]?.deadlocks);
}

describe.runIf(engineNames().includes("postgres"))(
  "Many people who end sessions at once on PostgreSQL",
  () => {
    const engine = engineOf("postgres");

    test("never wait for each other in a circle", async () => {
      const server = await startServer({ engine, rateLimits: "off" });
      const [ada, bob] = [await signUp(server), await signUp(server)];
      const statuses: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const others = await Promise.all(AGENTS.map((agent) => signIn(server, ada, agent)));
        const bobs = await Promise.all(AGENTS.map((agent) => signIn(server, bob, agent)));
        await server.database.read(
          `update session set expires_at = 1 where id in ('${others[3]?.session.id}', '${bobs[3]?.session.id}')`,
        );
        const answers = await Promise.all([
          ...others.map(({ client }) => client.delete("/api/session")),
          ada.client.delete("/api/sessions"),
          ada.client.delete("/api/sessions"),
          // Over the other one's cookie, in both directions: each ends a session of another account.
          ...bobs.slice(0, 2).map(({ client }) => trySignIn(client, ada)),
          bob.client.delete("/api/sessions"),
          trySignIn(server.client(UA.chromeAndroid), bob),
        ]);
        statuses.push(...answers.map(({ status }) => status));
        await Promise.all([
          prune(server.latchkey.parts, server.clock.now()),
          server.latchkey.parts.lastUsed.flush(server.clock.now(), true),
        ]);
      }
      for (const status of statuses) expect([200, 201, 204, 401]).toContain(status);
      expect(await deadlocks(server)).toBe(0);
      await server.close();
    });

    test('a log-out and "log out other devices" take the account first, then its sessions', async () => {
      const server = await startServer({ engine });
      const ada = await signUp(server);
      const other = await signIn(server, ada, UA.firefoxWindows);
      const ended = await server.latchkey.parts.database.write(async ({ query }) => {
        await query.selectFrom("account").select("id").where("id", "=", ada.account.id).forUpdate().execute();
        const leaving = other.client.delete("/api/session");
        await untilSomeoneWaits(server);
        // If the session's row were locked already, this would be a deadlock.
        const gone = await query.deleteFrom("session").where("id", "=", other.session.id).executeTakeFirst();
        return { leaving, gone };
      });
      expect(Number(ended.gone.numDeletedRows)).toBe(1);
      expectStatus(204, await ended.leaving);
      expect(await deadlocks(server)).toBe(0);
      await server.close();
    });

    test("ending everyone's sessions misses none whose token is renewed meanwhile", async () => {
      const server = await startServer({ engine });
      const person = await signUp(server);
      const { parts } = server.latchkey;
      const { token, ending } = await parts.database.write(async (write) => {
        const token = await renewToken(write, person.session.id, { provedAt: server.clock.now() });
        const ending = endEveryone(parts, server.clock.now());
        await untilSomeoneWaits(server);
        return { token, ending };
      });
      expect(await ending).toBe(1);
      person.client.token = token ?? "";
      expect(await isSignedIn(person.client)).toBe(false);
      await server.close();
    });

    test("one node prunes at a time", async () => {
      const server = await startServer({ engine, sessionLifetime: "1h" });
      const person = await signUp(server);
      server.clock.advance(2 * HOUR);
      const { parts } = server.latchkey;
      const other = await startServer({ engine, database: server.database, secretKey: server.secretKey });
      const idle = await other.latchkey.parts.database.write(async (write) => {
        expect(await other.latchkey.parts.database.lockPruning(write)).toBe(true);
        return prune(parts, server.clock.now());
      });
      expect(idle).toEqual({ sessions: 0, rows: 0 });
      expect((await prune(parts, server.clock.now())).sessions).toBe(1);
      await expectSignedOut(person.client, "expired");
      await other.close();
      await server.close();
    });

    test("prune around locked rows", async () => {
      const server = await startServer({ engine, sessionLifetime: "1h" });
      const [ada, bob] = [await signUp(server), await signUp(server)];
      server.clock.advance(2 * DAY);
      const holding = new pg.Client({ connectionString: server.database.url });
      await holding.connect();
      await holding.query("begin");
      await holding.query("select from session where id = $1 for update", [ada.session.id]);
      await holding.query("select from emailed_link where account_id = $1 for update", [ada.account.id]);
      const links = async () => (await server.database.read("select from emailed_link")).length;
      expect((await prune(server.latchkey.parts, server.clock.now())).sessions).toBe(1);
      expect(await links()).toBe(1);
      await holding.query("rollback");
      expect((await prune(server.latchkey.parts, server.clock.now())).sessions).toBe(1);
      expect(await links()).toBe(0);
      await expectSignedOut(bob.client, "expired");
      await holding.end();
      await server.close();
    });
  },
);

describe.runIf(engineNames().includes("postgres"))("An address on PostgreSQL that", () => {
  test("gets an account while it is being confirmed for another one stays with that account", async () => {
    const server = await startServer({ engine: engineOf("postgres") });
    const [moving, other] = [await signUp(server), await signUp(server)];
    const email = freshEmail("wanted");
    const body = { email, currentPassword: PASSWORD };
    expectStatus(202, await moving.client.put("/api/account/email", body));
    const token = await server.outbox.tokenFor(email, "/confirm-email");
    const confirming = await server.latchkey.parts.database.write(async ({ query }) => {
      const taken = query.updateTable("account").set({ email, email_key: email });
      await taken.where("id", "=", other.account.id).execute();
      const confirming = moving.client.post("/api/email-confirmations", { token });
      await untilSomeoneWaits(server);
      return { answer: confirming };
    });
    expectRefusal(await confirming.answer, 410, "link_expired");
    expect(need(await moving.client.get("/api/session"), "account").email).toBe(moving.email);
    await server.close();
  });
});

describeOnEachEngine("An account that is deleted while a credential of its is being checked", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  test("is refused like any other: a wrong password stays a wrong password", async () => {
    const person = await signUp(server());
    rightAfter(server().latchkey.parts.passwords, "verify", async () =>
      expectStatus(204, await person.client.delete("/api/account", { currentPassword: PASSWORD })),
    );
    const answer = await trySignIn(server().client(), { email: person.email, password: OTHER_PASSWORD });
    expect(answer.body.code).toBe("wrong_credentials");
  });

  test("wrong passwords at once are one line with their count", async () => {
    const person = await signUp(server());
    const tries = Array.from({ length: 6 }, () =>
      trySignIn(server().client(), { email: person.email, password: OTHER_PASSWORD }),
    );
    for (const answer of await Promise.all(tries)) expect(answer.status).toBe(401);
    const failed = `select detail from activity where kind = 'sign_in_failed' and account_id = '${person.account.id}'`;
    const rows = await server().database.read(failed);
    expect(rows.map(({ detail }) => JSON.parse(String(detail)))).toEqual([{ count: 6 }]);
  });

  test("a passkey challenge for an account that is deleted is worth nothing", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    const { parts } = server().latchkey;
    // Sending the sign-ins' emails writes to the database, too.
    await parts.mailer.settled();
    const { write } = parts.database;
    Object.assign(parts.database, {
      async write(work: Parameters<typeof write>[0]) {
        Object.assign(parts.database, { write });
        expectStatus(204, await other.client.delete("/api/account", { currentPassword: PASSWORD }));
        return write(work);
      },
    });
    const answer = await person.client.post("/api/passkeys/options");
    expect(answer.status, answer.text).toBe(200);
    await expectSignedOut(person.client, "account_closed");
  });
});
