import { describe, expect, test } from "vitest";
import { prune } from "../../src/sessions/prune.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  activityOf,
  expectStatus,
  freshEmail,
  halfSignIn,
  listOf,
  PASSWORD,
  resetToken,
  signIn,
  signInWithCode,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  verifyEmail,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

describeOnEachEngine("Time", (engine) => {
  test("a session ends 30 days after its sign-in, to the second, however much it is used (S9)", async () => {
    const server = await startServer({ engine });
    const person = await signUp(server);
    const end = Date.parse(person.session.expiresAt);
    expect(end - Date.parse(person.session.createdAt)).toBe(30 * DAY);
    for (let day = 1; day < 30; day += 7) {
      server.clock.advance(7 * DAY);
      if (server.clock.now() < end) await expectSignedIn(person.client);
    }
    server.clock.setTo(end - SECOND);
    await expectSignedIn(person.client);
    server.clock.setTo(end + SECOND);
    await expectSignedOut(person.client, "expired");
    const other = await signIn(server, person, UA.firefoxWindows);
    expect((await listOf(other.client)).map(({ label }) => label)).toEqual(["Firefox on Windows"]);
    await server.close();
  });

  test("an expired session is refused whether pruned or not, and a clock that steps back revives neither (S11)", async () => {
    const server = await startServer({ engine, sessionLifetime: "1h", pruneInterval: "50ms" });
    const person = await signUp(server);
    const end = Date.parse(person.session.expiresAt);
    server.clock.setTo(end + SECOND);
    await expectSignedOut(person.client, "expired");
    await expect
      .poll(async () => (await server.database.read("select count(*) as count from session"))[0]?.count)
      .toSatisfy((count) => Number(count) === 0);
    await expectSignedOut(person.client, "expired");
    server.clock.setTo(end - MINUTE);
    await expectSignedOut(person.client, "expired");
    server.clock.setTo(end + 7 * DAY + SECOND);
    await expectSignedOut(person.client, "none");
    await server.close();
  });

  test("an idle limit ends sessions that weren't used for that long; the page's own refreshes don't count as use", async () => {
    const server = await startServer({ engine, idleTimeout: "5m" });
    const person = await signUp(server);
    server.clock.advance(4 * MINUTE);
    await expectSignedIn(person.client);
    server.clock.advance(4 * MINUTE);
    const background = await person.client.get("/api/session", { "Latchkey-Background": "1" });
    expect(background.status).toBe(200);
    server.clock.advance(2 * MINUTE);
    await expectSignedOut(person.client, "idle");
    await server.close();
  });

  test("last used moves with use, and only forward", async () => {
    const server = await startServer({ engine });
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    const seen = async () =>
      (await listOf(person.client)).find(({ id }) => id === other.session.id)?.lastUsedAt ?? "";
    const first = await seen();
    server.clock.advance(HOUR);
    await expectSignedIn(other.client);
    expect(Date.parse(await seen()) - Date.parse(first)).toBeGreaterThanOrEqual(HOUR - SECOND);
    const latest = await seen();
    server.clock.advance(-30 * MINUTE);
    await expectSignedIn(other.client);
    expect(await seen()).toBe(latest);
    await server.close();
  });

  test("last used is written at most once a minute, however often a session is used", async () => {
    const server = await startServer({ engine });
    const { client, session } = await signUp(server);
    const begun = Date.parse(session.createdAt);
    const writtenAfter = async (time: number) => {
      server.clock.stopAt(begun + time);
      await expectSignedIn(client);
      await server.latchkey.parts.lastUsed.flush(server.clock.now());
      const [row] = await server.database.read("select last_used_at as at from session");
      return Number(row?.at) - begun;
    };
    expect(await writtenAfter(59 * SECOND)).toBe(0);
    expect(await writtenAfter(MINUTE)).toBe(MINUTE);
    expect(await writtenAfter(2 * MINUTE - 1)).toBe(MINUTE);
    expect(await writtenAfter(2 * MINUTE)).toBe(2 * MINUTE);
    await server.close();
  });

  test("last used moves only forward in the database, too, even if a node writes an earlier use later", async () => {
    const near = await startServer({ engine });
    const { database, secretKey } = near;
    const far = await startServer({ engine, database, secretKey });
    const { client, session } = await signUp(near);
    const atFar = far.client();
    atFar.token = client.token;
    const begun = Date.parse(session.createdAt);
    for (const [node, browser, at] of [
      [far, atFar, begun + 2 * MINUTE],
      [near, client, begun + 5 * MINUTE],
    ] as const) {
      node.clock.stopAt(at);
      await expectSignedIn(browser);
    }
    const written = async () =>
      Number((await database.read("select last_used_at as at from session"))[0]?.at);
    await near.latchkey.parts.lastUsed.flush(near.clock.now());
    expect(await written()).toBe(begun + 5 * MINUTE);
    await far.latchkey.parts.lastUsed.flush(far.clock.now());
    expect(await written()).toBe(begun + 5 * MINUTE);
    await far.close();
    await near.close();
  });

  test("last-used times are written when the server stops", async () => {
    const database = await engine.createDatabase();
    const server = await startServer({ engine, database });
    const person = await signUp(server);
    server.clock.advance(30 * SECOND);
    const used = need(await person.client.get("/api/session"), "session").lastUsedAt;
    await server.close();
    const [row] = await database.read("select last_used_at as at from session");
    expect(Number(row?.at)).toBe(Date.parse(used));
    await database.drop();
  });

  describe("what has expired is removed", () => {
    test("from every table that has what is over, and people can sign in as before", async () => {
      const server = await startServer({ engine, pruneInterval: "50ms" });
      const person = await signUp(server);
      const { secret } = await turnOnTwoFactor(server, person);
      await trySignIn(server.client(), { ...person, password: WRONG_PASSWORD });
      await halfSignIn(server, person);
      await resetToken(server, person.email);
      expect((await server.client().post("/api/session/passkey/options")).status).toBe(200);
      const tables = [
        "session",
        "emailed_link",
        "attempts",
        "pending_sign_in",
        "ceremony",
        "activity",
        "known_device",
      ];
      expect(await empty(server, tables)).toEqual([]);
      server.clock.advance(31 * DAY);
      await expect.poll(() => empty(server, ["session"])).toEqual(["session"]);
      expect(await empty(server, ["ended_session"])).toEqual([]);
      server.clock.advance(400 * DAY);
      await expect
        .poll(() => empty(server, [...tables, "ended_session"]))
        .toEqual([...tables, "ended_session"]);
      await signInWithCode(server, person, secret);
      await server.close();
    });

    test("and nothing else does: a session, the activity of 90 days, browsers of 400 and reasons stay till then", async () => {
      const server = await startServer({ engine });
      const pruneNow = () => prune(server.latchkey.parts, server.clock.now());
      const person = await signUp(server);
      const other = await signIn(server, person, UA.firefoxWindows);
      const events = (await activityOf(person.client)).map(({ id }) => id);
      expect(events.length).toBeGreaterThan(1);
      expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
      server.clock.advance(29 * DAY);
      await pruneNow();
      await expectSignedIn(person.client);
      await expectSignedOut(other.client, "signed_out_remotely");
      server.clock.advance(60 * DAY);
      await pruneNow();
      const { client } = await signIn(server, person, person.client);
      const kept = (await activityOf(client)).map(({ id }) => id);
      expect(kept).toEqual(expect.arrayContaining(events));
      server.clock.advance(2 * DAY);
      await pruneNow();
      const left = (await activityOf(client)).map(({ id }) => id);
      expect(left.filter((id) => events.includes(id))).toEqual([]);
      await server.close();
    });

    test("a browser stays known for 400 days from when it was last seen, not from when it was first seen", async () => {
      const server = await startServer({ engine });
      const person = await signUp(server);
      const browsers = [person.client, server.client(UA.firefoxWindows)];
      const signInAll = async () => {
        for (const browser of browsers) await signIn(server, person, browser);
      };
      // The folder of emails doesn't keep old ones: every email that was ever there counts.
      const files = new Set<string>();
      const told = async () => {
        for (const { subject, file } of await server.outbox.to(person.email))
          if (subject.startsWith("New sign-in")) files.add(file);
        return files.size;
      };
      await signInAll();
      expect(await told()).toBe(1);
      for (const days of [300, 200, 399]) {
        server.clock.advance(days * DAY);
        await prune(server.latchkey.parts, server.clock.now());
        await signInAll();
        expect(await told()).toBe(1);
      }
      server.clock.advance(200 * DAY);
      await signIn(server, person, person.client);
      server.clock.advance(201 * DAY);
      await prune(server.latchkey.parts, server.clock.now());
      await signInAll();
      expect(await told()).toBe(2);
      await server.close();
    });
  });

  test("an address that was given up is free seven days later, even if nothing was pruned", async () => {
    const server = await startServer({ engine });
    const person = await signUp(server);
    await verifyEmail(server, person);
    const email = freshEmail("new");
    const change = { email, currentPassword: PASSWORD };
    expectStatus(202, await person.client.put("/api/account/email", change));
    const token = await server.outbox.tokenFor(email, "/confirm-email");
    expectNoContent(await person.client.post("/api/email-confirmations", { token }));
    const takeIt = () => server.client().post("/api/accounts", { email: person.email, password: PASSWORD });
    server.clock.advance(7 * DAY - MINUTE);
    expectRefusal(await takeIt(), 409, "email_taken");
    server.clock.advance(2 * MINUTE);
    const rows = await server.database.read("select kind from emailed_link where kind = 'email_reversal'");
    expect(rows).not.toEqual([]);
    expectStatus(201, await takeIt());
    await server.close();
  });
});

/** The tables that have no row. */
async function empty({ database }: TestServer, tables: string[]): Promise<string[]> {
  const counts = await Promise.all(
    tables.map(async (table) => {
      const [row] = await database.read(`select count(*) as count from ${table}`);
      return Number(row?.count);
    }),
  );
  return tables.filter((_table, at) => counts[at] === 0);
}
