import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import { listOf, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("Logging out a device on its row", (engine) => {
  const server = serverFor(engine);

  async function twoDevices() {
    const person = await signUp(server(), { userAgent: UA.chromeWindows });
    return { person, other: await signIn(server(), person, UA.firefoxWindows) };
  }

  test("S5: ends that session at once: its very next request is a 401 that says by whom and when", async () => {
    const { person, other } = await twoDevices();
    const before = server().clock.now();
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    const answer = await expectSignedOut(other.client, "signed_out_remotely");
    expect(answer.body.by).toBe("Chrome on Windows");
    expect(Date.parse(answer.body.at ?? "")).toBeGreaterThanOrEqual(before - 1);
    expect(Date.parse(answer.body.at ?? "")).toBeLessThanOrEqual(server().clock.now());
  });

  test("S5: closes every door to it, not only the one page", async () => {
    const { person, other } = await twoDevices();
    await person.client.delete(`/api/sessions/${other.session.id}`);
    for (const path of ["/api/session", "/api/sessions", "/api/activity", "/api/account/login-methods"])
      expectRefusal(await other.client.get(path), 401, "signed_out");
    expectRefusal(await other.client.get("/verify"), 401, "signed_out");
    await expect(other.client.live()).rejects.toThrow("401");
    const page = await other.client.get("/settings/security", { Accept: "text/html" });
    expect([page.status, page.headers.location?.split("?")[0]]).toEqual([302, `${server().baseUrl}/login`]);
  });

  test("S5: takes it off the list, and leaves the others alone", async () => {
    const { person, other } = await twoDevices();
    const third = await signIn(server(), person, UA.safariIphone);
    await person.client.delete(`/api/sessions/${other.session.id}`);
    const ids = (await listOf(person.client)).map(({ id }) => id);
    expect(ids).toEqual([person.session.id, third.session.id]);
    await expectSignedIn(third.client);
  });

  test("the same row twice: the second time, there is none", async () => {
    const { person, other } = await twoDevices();
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    expectRefusal(await person.client.delete(`/api/sessions/${other.session.id}`), 404, "not_found");
  });

  test("the current session is refused here, and lives", async () => {
    const { person } = await twoDevices();
    const answer = await person.client.delete(`/api/sessions/${person.session.id}`);
    expectRefusal(answer, 409, "current_session");
    await expectSignedIn(person.client);
  });

  test("another account's session and one that never was get the same 404, to the byte", async () => {
    const { person } = await twoDevices();
    const stranger = await signUp(server());
    const foreign = await person.client.delete(`/api/sessions/${stranger.session.id}`);
    const unknown = await person.client.delete(`/api/sessions/${"A".repeat(stranger.session.id.length)}`);
    expectRefusal(foreign, 404, "not_found");
    expect([foreign.status, foreign.text]).toEqual([unknown.status, unknown.text]);
    await expectSignedIn(stranger.client);
  });

  describe("what isn't an id is 404, too:", () => {
    test.each(["%00", "%27%20or%201=1--", "%F0%9F%A6%8A", "null", "x".repeat(4_000), "%2e%2e", "*"])(
      "%j",
      async (id) => {
        const { person, other } = await twoDevices();
        expect((await person.client.delete(`/api/sessions/${id}`)).status).toBe(404);
        await expectSignedIn(person.client);
        await expectSignedIn(other.client);
      },
    );
  });

  test("a session's token isn't its id", async () => {
    const { person, other } = await twoDevices();
    expectRefusal(await person.client.delete(`/api/sessions/${other.client.token}`), 404, "not_found");
    await expectSignedIn(other.client);
  });

  test("an ended session can't end others", async () => {
    const { person, other } = await twoDevices();
    await person.client.delete(`/api/sessions/${other.session.id}`);
    expectRefusal(await other.client.delete(`/api/sessions/${person.session.id}`), 401, "signed_out");
    expectRefusal(await other.client.delete("/api/sessions"), 401, "signed_out");
    await expectSignedIn(person.client);
  });
});

describeOnEachEngine("Log out other devices", (engine) => {
  const server = serverFor(engine);

  test("S6: ends every session except the current one, and says how many", async () => {
    const person = await signUp(server());
    const others = [
      await signIn(server(), person, UA.firefoxWindows),
      await signIn(server(), person, UA.safariIphone),
      await signIn(server(), person, UA.edgeWindows),
    ];
    const answer = await person.client.delete("/api/sessions");
    expect([answer.status, answer.body]).toEqual([200, { ended: 3 }]);
    await expectSignedIn(person.client);
    for (const { client } of others) {
      const told = await expectSignedOut(client, "signed_out_remotely");
      expect(told.body.by).toBe("Chrome on Mac OS");
    }
    expect((await listOf(person.client)).map(({ id }) => id)).toEqual([person.session.id]);
  });

  test("ends none if there are none", async () => {
    const person = await signUp(server());
    expect((await person.client.delete("/api/sessions")).body).toEqual({ ended: 0 });
    await expectSignedIn(person.client);
  });

  test("touches nobody else's sessions", async () => {
    const person = await signUp(server());
    const stranger = await signUp(server());
    await person.client.delete("/api/sessions");
    await expectSignedIn(stranger.client);
  });
});

describeOnEachEngine("One's own log-out", (engine) => {
  const server = serverFor(engine);

  test("doesn't say who did it, or when, to someone with a copy of the token", async () => {
    const person = await signUp(server());
    const copy = server().client();
    copy.token = person.client.token;
    expectNoContent(await person.client.delete("/api/session"));
    const { body } = await expectSignedOut(copy, "signed_out");
    expect([body.by, body.at]).toEqual([undefined, undefined]);
  });
});
