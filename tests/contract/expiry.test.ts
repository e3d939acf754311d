import { expect, test } from "vitest";
import { prune } from "../../src/sessions/prune.ts";
import { copyOf } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { need } from "../support/requests/answers.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../support/requests/clock.ts";
import { expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import {
  activityOf,
  type Device,
  halfSignIn,
  isSignedIn,
  listOf,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  signIn,
  signUp,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer } from "../support/servers/server.ts";

describeOnEachEngine("A session's 30 days", (engine) => {
  const server = serverFor(engine);

  test("S9: it lives until a second before and is refused a second after", async () => {
    const { client, session } = await signUp(server());
    server().clock.setTo(Date.parse(session.expiresAt) - SECOND);
    await expectSignedIn(client);
    server().clock.setTo(Date.parse(session.expiresAt) + SECOND);
    await expectSignedOut(client, "expired");
  });

  test("S9: its last moment is the one before its end: at the end itself it is over, pruned or not", async () => {
    const { client, session } = await signUp(server());
    const end = Date.parse(session.expiresAt);
    server().clock.stopAt(end - 1);
    await expectSignedIn(client);
    await prune(server().latchkey.parts, end - 1);
    await expectSignedIn(client);
    server().clock.stopAt(end);
    await expectSignedOut(client, "expired");
    await prune(server().latchkey.parts, end);
    server().clock.stopAt(end - 1);
    await expectSignedOut(client, "expired");
    server().clock.setTo(end);
  });

  test("S9: use doesn't move it, however much", async () => {
    const { client, session } = await signUp(server());
    for (let day = 1; day < 30; day++) {
      server().clock.setTo(Date.parse(session.createdAt) + day * DAY);
      expect(need(await client.get("/api/session"), "session").expiresAt).toBe(session.expiresAt);
    }
    server().clock.setTo(Date.parse(session.expiresAt) + SECOND);
    await expectSignedOut(client, "expired");
  });

  test("S9: a proof and a password change don't move it", async () => {
    const { client, session } = await signUp(server());
    server().clock.advance(DAY);
    await client.post("/api/session/proof", { currentPassword: PASSWORD });
    expect(need(await client.get("/api/session"), "session").expiresAt).toBe(session.expiresAt);
    server().clock.setTo(Date.parse(session.expiresAt) + SECOND);
    await expectSignedOut(client, "expired");
  });

  test("S9: an expired session is on no list, pruned or not", async () => {
    const person = await signUp(server());
    server().clock.advance(DAY);
    const { client } = await signIn(server(), person, UA.firefoxWindows);
    server().clock.setTo(Date.parse(person.session.expiresAt) + SECOND);
    expect((await listOf(client)).map(({ label }) => label)).toEqual(["Firefox on Windows"]);
    expect((await client.delete(`/api/sessions/${person.session.id}`)).status).toBe(404);
    expect((await client.delete("/api/sessions")).body).toEqual({ ended: 0 });
  });

  test("S10: after that, a fresh sign-in takes email, password and, if it is on, the second factor", async () => {
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    server().clock.setTo(Date.parse(person.session.expiresAt) + SECOND);
    await expectSignedOut(person.client, "expired");
    const fresh = await halfSignIn(server(), person);
    expect(await isSignedIn(fresh)).toBe(false);
    const code = codeAt(secret, server().clock.now());
    expect((await fresh.post("/api/session/two-factor", { code })).status).toBe(201);
    await expectSignedIn(fresh);
  });

  test("no door is open to it: not the forward-auth one, not the live stream", async () => {
    const { client, session } = await signUp(server());
    server().clock.setTo(Date.parse(session.expiresAt) + SECOND);
    expect((await client.get("/verify")).status).toBe(401);
    await expect(client.live()).rejects.toThrow("401");
  });

  test.each<[event: string, happen: (person: Person, other: Device) => Promise<unknown>]>([
    ["other devices are logged out", (_, { client }) => client.delete("/api/sessions")],
    ["the same browser signs in again", (person) => signIn(server(), person, server().client())],
    [
      "it signs in over its old cookie",
      (person) => signIn(server(), person, copyOf(server(), person.client)),
    ],
    [
      "the password is changed",
      (_, { client }) =>
        client.put("/api/account/password", { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD }),
    ],
    [
      "the app ends the others",
      ({ account }, { session }) => server().latchkey.sessions.endOthers(account.id, session.id, "the app"),
    ],
  ])("are the reason, also if %s before it is pruned", async (_, happen) => {
    const person = await signUp(server());
    server().clock.advance(DAY);
    const other = await signIn(server(), person, UA.firefoxWindows);
    server().clock.setTo(Date.parse(person.session.expiresAt) + SECOND);
    await happen(person, other);
    expect((await expectSignedOut(person.client, "expired")).body.by).toBeUndefined();
    const ended = (await activityOf(other.client)).filter(({ kind }) => kind === "session_ended");
    const { label } = person.session;
    expect(ended).toEqual([expect.objectContaining({ label, detail: { reason: "expired" } })]);
  });

  test("the reason is kept until 7 days after, then the token is unknown", async () => {
    const { client, session } = await signUp(server());
    const end = Date.parse(session.expiresAt);
    server().clock.setTo(end + 7 * DAY - MINUTE);
    await expectSignedOut(client, "expired");
    server().clock.setTo(end + 7 * DAY + MINUTE);
    await expectSignedOut(client, "none");
  });

  test("the reason of an ended session is kept just as long", async () => {
    const person = await signUp(server());
    const other = await signIn(server(), person, UA.firefoxWindows);
    await person.client.delete(`/api/sessions/${other.session.id}`);
    const end = Date.parse(other.session.expiresAt);
    server().clock.setTo(end + 7 * DAY - MINUTE);
    await expectSignedOut(other.client, "signed_out_remotely");
    server().clock.setTo(end + 7 * DAY + MINUTE);
    await expectSignedOut(other.client, "none");
  });
});

describeOnEachEngine("A shorter lifetime", (engine) => {
  const server = serverFor(engine, { sessionLifetime: "2h" });

  test("ends a session after exactly that time", async () => {
    const { client, session } = await signUp(server());
    expect(Date.parse(session.expiresAt) - Date.parse(session.createdAt)).toBe(2 * HOUR);
    server().clock.setTo(Date.parse(session.expiresAt) - SECOND);
    await expectSignedIn(client);
    server().clock.setTo(Date.parse(session.expiresAt) + SECOND);
    await expectSignedOut(client, "expired");
  });
});

describeOnEachEngine("An idle timeout", (engine) => {
  const server = serverFor(engine, { idleTimeout: "1h" });

  test("ends a session that wasn't used for so long, to the second", async () => {
    const { client } = await signUp(server());
    const used = Date.parse((await listOf(client))[0]?.lastUsedAt ?? "");
    server().clock.setTo(used + HOUR - SECOND);
    await expectSignedIn(client);
    const usedAgain = Date.parse((await listOf(client))[0]?.lastUsedAt ?? "");
    server().clock.setTo(usedAgain + HOUR + SECOND);
    await expectSignedOut(client, "idle");
  });

  test("ends it at that very moment, and not a millisecond before", async () => {
    const background = { "Latchkey-Background": "1" };
    const { client } = await signUp(server());
    const used = Date.parse(need(await client.get("/api/session"), "session").lastUsedAt);
    server().clock.stopAt(used + HOUR - 1);
    expect((await client.get("/api/session", background)).status).toBe(200);
    server().clock.stopAt(used + HOUR);
    await expectSignedOut(client, "idle");
    server().clock.setTo(used + HOUR);
  });

  test("is the reason, also if other devices are logged out before it is pruned", async () => {
    const person = await signUp(server());
    server().clock.advance(30 * MINUTE);
    const { client } = await signIn(server(), person, UA.firefoxWindows);
    server().clock.advance(40 * MINUTE);
    expect((await client.delete("/api/sessions")).body).toEqual({ ended: 0 });
    await expectSignedOut(person.client, "idle");
  });

  test("is the reason that is kept once such a session has been pruned", async () => {
    const person = await signUp(server());
    server().clock.advance(HOUR + 3 * MINUTE);
    await prune(server().latchkey.parts, server().clock.now());
    const kept = await server().database.read("select reason from ended_session");
    expect(kept).toContainEqual({ reason: "idle" });
    await expectSignedOut(person.client, "idle");
    const { client } = await signIn(server(), person, UA.firefoxWindows);
    const ended = (await activityOf(client)).filter(({ kind }) => kind === "session_ended");
    expect(ended).toMatchObject([{ detail: { reason: "idle" } }]);
  });

  test("use keeps a session alive, but the page's own refreshes don't", async () => {
    const { client } = await signUp(server());
    for (let times = 0; times < 4; times++) {
      server().clock.advance(50 * MINUTE);
      await expectSignedIn(client);
    }
    server().clock.advance(50 * MINUTE);
    expect((await client.get("/api/session", { "Latchkey-Background": "1" })).status).toBe(200);
    server().clock.advance(50 * MINUTE);
    await expectSignedOut(client, "idle");
  });

  test("an idle session is on no list", async () => {
    const person = await signUp(server());
    server().clock.advance(30 * MINUTE);
    const { client } = await signIn(server(), person, UA.firefoxWindows);
    server().clock.advance(40 * MINUTE);
    expect((await listOf(client)).map(({ label }) => label)).toEqual(["Firefox on Windows"]);
  });

  test("even a session that is always in use ends after 30 days", async () => {
    const { client, session } = await signUp(server());
    while (server().clock.now() < Date.parse(session.expiresAt) - HOUR) {
      await expectSignedIn(client);
      server().clock.advance(59 * MINUTE);
    }
    await expectSignedIn(client);
    server().clock.setTo(Date.parse(session.expiresAt) + SECOND);
    await expectSignedOut(client, "expired");
  });
});

describeOnEachEngine("Pruning", (engine) => {
  test("S11: removes expired sessions from the table by itself, and a clock that steps back revives none", async () => {
    const server = await startServer({ engine, pruneInterval: "20ms" });
    try {
      const count = async () =>
        Number((await server.database.read("select count(*) as n from session"))[0]?.n);
      const person = await signUp(server);
      const other = await signIn(server, person, UA.firefoxWindows);
      expect(await count()).toBe(2);
      server.clock.setTo(Date.parse(other.session.expiresAt) + SECOND);
      await expect.poll(count, { timeout: 5_000 }).toBe(0);
      await expectSignedOut(other.client, "expired");
      server.clock.advance(-10 * DAY);
      await expectSignedOut(person.client, "expired");
      await expectSignedOut(other.client, "expired");
    } finally {
      await server.close();
    }
  });

  test("ended sessions leave the table at once", async () => {
    const server = await startServer({ engine });
    try {
      const ids = async () =>
        (await server.database.read("select * from session")).map((row) => Object.values(row));
      const person = await signUp(server);
      const other = await signIn(server, person, UA.firefoxWindows);
      await person.client.delete(`/api/sessions/${other.session.id}`);
      expect(await ids()).toHaveLength(1);
      await person.client.delete("/api/session");
      expect(await ids()).toHaveLength(0);
    } finally {
      await server.close();
    }
  });
});
