import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import { HOUR, MINUTE, SECOND } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { isSignedIn, listOf, signIn, signUp } from "../support/requests/people.ts";
import { sessionShape } from "../support/requests/shapes.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const BACKGROUND = { "Latchkey-Background": "1" };

describeOnEachEngine("The list of sessions", (engine) => {
  const server = serverFor(engine);

  test("S1: lists every active session of the account, with the contract's fields and no other", async () => {
    const person = await signUp(server());
    const firefox = await signIn(server(), person, UA.firefoxWindows);
    const iphone = await signIn(server(), person, UA.safariIphone);
    const answer = await person.client.get("/api/sessions");
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body)).toEqual(["sessions"]);
    const sessions = need(answer, "sessions");
    expect(sessions).toEqual([sessionShape, sessionShape, sessionShape]);
    expect(sessions.map(({ id }) => id).sort()).toEqual(
      [person.session.id, firefox.session.id, iphone.session.id].sort(),
    );
  });

  test("S1: shows nothing of other accounts", async () => {
    const person = await signUp(server());
    await signUp(server());
    expect((await listOf(person.client)).map(({ id }) => id)).toEqual([person.session.id]);
  });

  test("S2: labels each device by the browser and system that signed in", async () => {
    const person = await signUp(server(), { userAgent: UA.chromeMac });
    await signIn(server(), person, UA.safariIphone);
    await signIn(server(), person, UA.firefoxWindows);
    const labels = (await listOf(person.client)).map(({ label }) => label).sort();
    expect(labels).toEqual(["Chrome on Mac OS", "Firefox on Windows", "Safari on iOS"]);
  });

  test("S3: tells when each session was last used", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    server().clock.advance(3 * HOUR);
    const now = server().clock.now();
    const [current, idle] = await listOf(person.client);
    expect(Math.abs(Date.parse(current?.lastUsedAt ?? "") - now)).toBeLessThan(5 * SECOND);
    expect(idle?.id).toBe(other.session.id);
    expect(Math.abs(now - 3 * HOUR - Date.parse(idle?.lastUsedAt ?? ""))).toBeLessThan(30 * SECOND);
  });

  test("S3: any request with the cookie counts as use, forward-auth too", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    server().clock.advance(2 * HOUR);
    expect((await other.client.get("/verify")).status).toBe(204);
    const now = server().clock.now();
    const seen = (await listOf(person.client)).find(({ id }) => id === other.session.id);
    expect(now - Date.parse(seen?.lastUsedAt ?? "")).toBeLessThan(MINUTE);
  });

  test("S3: the page's own refreshes and its live stream don't count as use", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    server().clock.advance(2 * HOUR);
    expect((await other.client.get("/api/sessions", BACKGROUND)).status).toBe(200);
    expect((await other.client.get("/api/session", BACKGROUND)).status).toBe(200);
    (await other.client.live()).close();
    const seen = (await listOf(person.client)).find(({ id }) => id === other.session.id);
    expect(server().clock.now() - Date.parse(seen?.lastUsedAt ?? "")).toBeGreaterThan(2 * HOUR - MINUTE);
  });

  test("S4: exactly one is current: the one that asks, which comes first", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    for (const { client, session } of [person, other]) {
      const sessions = await listOf(client);
      expect(sessions.map(({ current }) => current)).toEqual([true, false]);
      expect(sessions[0]?.id).toBe(session.id);
    }
  });

  test("puts the current session first, then the last used", async () => {
    const person = await signUp(server());
    const firefox = await signIn(server(), person, UA.firefoxWindows);
    const iphone = await signIn(server(), person, UA.safariIphone);
    const edge = await signIn(server(), person, UA.edgeWindows);
    for (const { client } of [edge, iphone, firefox]) {
      server().clock.advance(10 * MINUTE);
      await expectSignedIn(client);
    }
    const ids = (await listOf(person.client)).map(({ id }) => id);
    expect(ids).toEqual([person.session.id, firefox.session.id, iphone.session.id, edge.session.id]);
  });

  test("last used never goes back", async () => {
    const person = await signUp(server());
    server().clock.advance(HOUR);
    await expectSignedIn(person.client);
    const before = (await listOf(person.client))[0]?.lastUsedAt ?? "";
    server().clock.advance(-30 * MINUTE);
    const after = (await listOf(person.client))[0]?.lastUsedAt ?? "";
    server().clock.advance(30 * MINUTE);
    expect(Date.parse(after)).toBeGreaterThanOrEqual(Date.parse(before));
  });

  test("has no token of anybody in it", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    const { text } = await person.client.get("/api/sessions");
    for (const { token } of [person.client, other.client]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(token.slice(4));
    }
    expect(text).not.toContain("lk1_");
  });

  test("needs a session", async () => {
    for (const path of ["/api/sessions", "/api/activity", "/api/account/login-methods"])
      expectRefusal(await server().client().get(path), 401, "signed_out");
    expectRefusal(await server().client().delete("/api/sessions"), 401, "signed_out");
    expectRefusal(await server().client().delete("/api/sessions/x"), 401, "signed_out");
  });

  test("and ending sessions need no proof, however long ago the sign-in was", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    server().clock.advance(5 * HOUR);
    expect(await listOf(person.client)).toHaveLength(2);
    expect((await person.client.delete(`/api/sessions/${other.session.id}`)).status).toBe(204);
    expect((await person.client.delete("/api/sessions")).body).toEqual({ ended: 0 });
    expect(await isSignedIn(other.client)).toBe(false);
  });
});
