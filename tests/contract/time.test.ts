import { describe, expect, test } from "vitest";
import { need } from "../support/answers.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/clock.ts";
import { describeOnEachEngine } from "../support/engines.ts";
import { expectSignedIn, expectSignedOut } from "../support/expectations.ts";
import { listOf, PASSWORD, signIn, signUp } from "../support/people.ts";
import { startServer } from "../support/server.ts";
import { UA } from "../support/user-agents.ts";

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

  test("an idle limit ends what was unused for so long; the page's own refreshes don't count as use", async () => {
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

  test("last used moves with use, only forward, and is written at most once a minute", async () => {
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

  test("last uses are written when the server stops", async () => {
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

  describe("what is over goes", () => {
    test("from every table, and nothing else does", async () => {
      const server = await startServer({ engine, pruneInterval: "50ms" });
      const person = await signUp(server);
      await person.client.post("/api/session", { email: person.email, password: "wrong password" });
      server.clock.advance(100 * DAY);
      const counts = async () => {
        const tables = ["session", "ended_session", "emailed_link", "attempts", "pending_sign_in"];
        const rows = await Promise.all(
          tables.map((table) => server.database.read(`select count(*) as count from ${table}`)),
        );
        return rows.map((row) => Number(row[0]?.count));
      };
      await expect.poll(counts).toEqual([0, 0, 0, 0, 0]);
      expect(
        (await server.client().post("/api/session", { email: person.email, password: PASSWORD })).status,
      ).toBe(201);
      await server.close();
    });
  });
});
