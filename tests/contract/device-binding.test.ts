import { afterEach, describe, expect, test, vi } from "vitest";
import {
  BOUND,
  BoundBrowser,
  copyOf,
  offeredChallenge,
  REFRESH,
  signUpBound,
} from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header, need } from "../support/requests/answers.ts";
import { MINUTE, SECOND } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectProblem,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import { activityOf, freshEmail, listOf, PASSWORD, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer } from "../support/servers/server.ts";

const BASE = "https://app.example.test";
const MAIN = "__Host-latchkey";
const COPY = "A copy of your session";

describeOnEachEngine("A session that is bound to its device", (engine) => {
  const server = serverFor(engine, { baseUrl: BASE });

  test.each(["ES256", "RS256"] as const)(
    "is registered with %s at its sign-in, and marked in the list",
    async (algorithm) => {
      const person = await signUp(server());
      const { client } = person;
      const signedIn = await client.post("/api/session", { email: person.email, password: PASSWORD });
      const id = need(signedIn, "session").id;
      const path = `/api/session/device-binding\\?session=${id}`;
      expect(header(signedIn, "secure-session-registration")).toMatch(
        new RegExp(`^\\(ES256 RS256\\);path="${path}";challenge="[\\w-]{43}"$`),
      );
      const browser = new BoundBrowser(client, algorithm);
      const registered = await browser.register(signedIn);
      expect(registered.status, registered.text).toBe(200);
      expect(JSON.parse(registered.text)).toEqual({
        session_identifier: id,
        refresh_url: `${BASE}/api/session/device-binding/refresh`,
        scope: { origin: BASE, include_site: false },
        credentials: [{ type: "cookie", name: BOUND, attributes: "Path=/; HttpOnly; SameSite=Lax; Secure" }],
        allowed_refresh_initiators: ["*"],
      });
      expect(registered.setCookies).toEqual([
        expect.stringMatching(
          /^__Host-latchkey-bound=[\w-]{43}; Max-Age=570; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
        ),
      ]);
      await expectSignedIn(client);
      expect(await listOf(client)).toMatchObject([{ id, current: true, bound: true }]);
    },
  );

  test("is offered by a sign-up too", async () => {
    const answer = await server().client().post("/api/accounts", { email: freshEmail(), password: PASSWORD });
    expect(offeredChallenge(answer)).toMatch(/^[\w-]{43}$/);
  });

  test("is registered without the session's own cookie, which a sign-in that comes from another site leaves out", async () => {
    const { email, client } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    const browser = new BoundBrowser(client);
    const registered = await browser.register(signedIn, { Cookie: undefined });
    expect(registered.status, registered.text).toBe(200);
    await expectSignedIn(client);
    browser.dropCookie();
    expectRefusal(await client.get("/api/session"), 401, "device_proof_needed");
    expect((await browser.refresh()).status).toBe(200);
    await expectSignedIn(client);
  });

  test("stays as it was if the browser doesn't bind sessions", async () => {
    const { client } = await signUp(server());
    server().clock.advance(60 * MINUTE);
    await expectSignedIn(client);
    expect(await listOf(client)).toEqual([expect.not.objectContaining({ bound: true })]);
  });

  test("locks nobody out if the answer to the registration was lost", async () => {
    const { email, client } = await signUp(server());
    const browser = new BoundBrowser(client);
    await browser.register(await client.post("/api/session", { email, password: PASSWORD }));
    browser.dropCookie();
    await expectSignedIn(client);
    server().clock.advance(60 * MINUTE);
    await expectSignedIn(client);
  });

  test("goes on through many refreshes, which don't count as use", async () => {
    const { browser, client } = await signUpBound(server());
    const before = need(
      await client.get("/api/session", { "Latchkey-Background": "1" }),
      "session",
    ).lastUsedAt;
    for (let round = 0; round < 10; round++) {
      server().clock.advance(9 * MINUTE);
      const answer = await browser.refreshOnce();
      expect(answer.status, answer.text).toBe(200);
      const who = need(await client.get("/api/session", { "Latchkey-Background": "1" }), "session");
      expect(who.lastUsedAt).toBe(before);
    }
  });

  test("comes back after days away: a stale challenge is answered with the next one", async () => {
    const { browser, client } = await signUpBound(server());
    browser.dropCookie();
    server().clock.advance(3 * 24 * 60 * MINUTE);
    const stale = await browser.refreshOnce();
    expectRefusal(stale, 403, "device_proof_stale");
    expect(header(stale, "secure-session-challenge")).toContain(`;id="${browser.sessionId}"`);
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectSignedIn(client);
  });

  test("is refreshed without the session's own cookie, which a link from another site leaves out", async () => {
    const { browser } = await signUpBound(server());
    const answer = await browser.send(REFRESH, {
      Cookie: undefined,
      "Sec-Secure-Session-Id": `"${browser.sessionId}"`,
      "Secure-Session-Response": `"${browser.proof()}"`,
    });
    expect(answer.status, answer.text).toBe(200);
  });

  test("accepts a bare string where the protocol quotes it", async () => {
    const { browser } = await signUpBound(server());
    const answer = await browser.send(REFRESH, {
      "Sec-Secure-Session-Id": browser.sessionId,
      "Secure-Session-Response": String(browser.proof()),
    });
    expect(answer.status, answer.text).toBe(200);
  });

  test("accepts the previous cookie until it would have expired", async () => {
    const { browser, client } = await signUpBound(server());
    const otherTab = copyOf(server(), client);
    server().clock.advance(5 * MINUTE);
    await browser.refreshOnce();
    await expectSignedIn(otherTab);
    server().clock.advance(4 * MINUTE);
    await expectSignedIn(otherTab);
    server().clock.advance(2 * MINUTE);
    expectProblem(await otherTab.get("/api/session"), 401, "device_proof_needed");
    await expectSignedIn(client);
  });

  test("accepts a cookie that was on its way while its browser dropped it and got the next one", async () => {
    const { browser, client } = await signUpBound(server());
    const onItsWay = copyOf(server(), client);
    server().clock.advance(9.5 * MINUTE);
    browser.dropCookie();
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectSignedIn(onItsWay);
  });

  test("survives answers to refreshes that are lost, one after the other", async () => {
    const { browser, client } = await signUpBound(server());
    server().clock.advance(5 * MINUTE);
    for (let lost = 0; lost < 3; lost++) {
      const had = client.jar.get(BOUND) ?? "";
      expect((await browser.refresh()).status).toBe(200);
      client.jar.set(BOUND, had);
    }
    await expectSignedIn(client);
  });

  test("gets one new cookie per proof: two tabs that send the same proof end up with the same cookie", async () => {
    const { browser, client } = await signUpBound(server());
    const proof = browser.proof();
    const answers = await Promise.all([browser.refreshOnce(proof), browser.refreshOnce(proof)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect((await browser.refresh()).status).toBe(200);
    await expectSignedIn(client);
  });

  test("keeps its binding with a new token", async () => {
    const { client } = await signUpBound(server());
    expectNoContent(await client.post("/api/session/proof", { currentPassword: PASSWORD }));
    await expectSignedIn(client);
    const stolen = copyOf(server(), client, [MAIN]);
    expectRefusal(await stolen.get("/api/session"), 401, "device_proof_needed");
  });

  test("ends with a log-out, and its browser is then told to forget the binding", async () => {
    const { browser, client } = await signUpBound(server());
    const answer = await client.delete("/api/session");
    expectNoContent(answer);
    expect(client.jar.names()).toEqual(["__Host-latchkey-device"]);
    expectRefusal(await browser.refreshOnce(), 401, "signed_out");
  });

  test("ends like any other, and its device is told why", async () => {
    const { browser, client, ...person } = await signUpBound(server());
    const phone = await signIn(server(), person, UA.safariIphone);
    const id = need(await client.get("/api/session"), "session").id;
    expectNoContent(await phone.client.delete(`/api/sessions/${id}`));
    expectRefusal(await browser.refreshOnce(), 401, "signed_out");
    browser.dropCookie();
    await expectSignedOut(client, "signed_out_remotely");
  });

  test("ends as one that can't prove itself if its browser has lost the key and signs in again", async () => {
    const { client, email } = await signUpBound(server());
    const old = copyOf(server(), client, [MAIN]);
    client.jar.delete(BOUND);
    server().clock.advance(11 * MINUTE);
    expectRefusal(await client.get("/api/session"), 401, "device_proof_needed");
    expect((await client.post("/api/session", { email, password: PASSWORD })).status).toBe(201);
    await expectSignedOut(old, "proof_lost");
    await expectSignedIn(client);
  });

  test("ends like any other if its own browser signs in again or to another account", async () => {
    const [again, other] = [await signUpBound(server()), await signUpBound(server())];
    const someone = await signUp(server());
    const [replaced, signedOut] = [copyOf(server(), again.client), copyOf(server(), other.client)];
    await signIn(server(), again, again.client);
    await expectSignedOut(replaced, "replaced");
    await signIn(server(), someone, other.client);
    await expectSignedOut(signedOut, "signed_out");
  });

  test("a bound cookie that proves nothing is cleared, so that the browser gets a new one", async () => {
    const { browser, client } = await signUpBound(server());
    client.jar.set(BOUND, "A".repeat(43));
    expectProblem(await client.get("/api/session"), 401, "device_proof_needed");
    expect(client.jar.get(BOUND)).toBeUndefined();
    expect(client.token).not.toBe("");
    expect((await browser.refresh()).status).toBe(200);
    await expectSignedIn(client);
  });
});

describeOnEachEngine("A stolen cookie of a bound session", (engine) => {
  const server = serverFor(engine, { baseUrl: BASE });

  test("is worthless on its own, at once", async () => {
    const { client } = await signUpBound(server());
    const thief = copyOf(server(), client, [MAIN, "__Host-latchkey-device"]);
    expectRefusal(await thief.get("/api/session"), 401, "device_proof_needed");
    expectRefusal(await thief.get("/verify"), 401, "device_proof_needed");
    expect((await thief.get("/verify", { Accept: "text/html" })).status).toBe(302);
    expectRefusal(await thief.get("/api/live"), 401, "device_proof_needed");
    expectRefusal(await thief.delete("/api/session"), 401, "device_proof_needed");
    await expectSignedIn(client);
  });

  test("is worthless within ten minutes even with all the others, and can't be renewed", async () => {
    const { browser, client } = await signUpBound(server());
    const thief = copyOf(server(), client);
    await expectSignedIn(thief);
    server().clock.advance(9 * MINUTE);
    await expectSignedIn(thief);
    server().clock.advance(MINUTE + SECOND);
    expectProblem(await thief.get("/api/session"), 401, "device_proof_needed");
    const others = new BoundBrowser(thief);
    Object.assign(others, { sessionId: browser.sessionId, challenge: browser.challenge });
    expectRefusal(await others.refresh(), 403, "device_proof_stale");
    expect((await browser.refresh()).status).toBe(200);
    await expectSignedIn(client);
    expectProblem(await thief.get("/api/session"), 401, "device_proof_needed");
  });

  test("is refused despite a forged claim that the browser skipped its proof", async () => {
    const { browser, client } = await signUpBound(server());
    const thief = copyOf(server(), client, [MAIN]);
    const skipped = `unreachable;session_identifier="${browser.sessionId}"`;
    const answer = await thief.get("/api/session", { "Secure-Session-Skipped": skipped });
    expectRefusal(answer, 401, "device_proof_needed");
    expect(await copiesTold(client)).toEqual([]);
  });

  test("is reported to its owner once a day, in the history and by email, however often it is used", async () => {
    const { client, email } = await signUpBound(server());
    const thief = server().client(UA.firefoxLinux);
    thief.jar.set(MAIN, client.token);
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 25 }, () => thief.get("/api/session")));
    const told = () =>
      server()
        .outbox.to(email)
        .then((mails) => mails.filter(({ subject }) => subject.includes(COPY)));
    expect(await told()).toHaveLength(1);
    expect(await copiesTold(client)).toEqual([
      expect.objectContaining({ label: "Chrome on Mac OS", detail: { from: "Firefox on Linux" } }),
    ]);
    await expectSignedIn(client);
  });

  test("is reported to each of two owners, however soon after one another", async () => {
    const owners = [await signUpBound(server()), await signUpBound(server())];
    for (const { client } of owners) {
      await copyOf(server(), client, [MAIN]).get("/api/session");
      expect(await copiesTold(client)).toHaveLength(1);
    }
  });

  test("doesn't log its owner out if the thief, having it, signs in to an account of their own", async () => {
    const { client } = await signUpBound(server());
    const thief = await signUp(server());
    thief.client.jar.set(MAIN, client.token);
    thief.client.jar.delete(BOUND);
    expect((await thief.client.post("/api/session", { email: thief.email, password: PASSWORD })).status).toBe(
      201,
    );
    await expectSignedIn(client);
  });

  async function copiesTold(client: Parameters<typeof activityOf>[0]) {
    await server().outbox.all();
    return (await activityOf(client)).filter(({ kind }) => kind === "cookie_copy_used");
  }
});

describeOnEachEngine("A live stream that was opened with a stolen cookie", (engine) => {
  const server = serverFor(engine, { baseUrl: BASE });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function heartbeat(): Promise<void> {
    await vi.advanceTimersByTimeAsync(27 * SECOND);
    vi.useRealTimers();
  }

  test("is closed when the bound cookie that opened it expires, and the owner's page comes back", async () => {
    const { client, browser } = await signUpBound(server());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const copied = await copyOf(server(), client).live();
    const own = await client.live();
    server().clock.advance(9 * MINUTE);
    await vi.advanceTimersByTimeAsync(27 * SECOND);
    expect([copied.isOpen, own.isOpen]).toEqual([true, true]);
    await browser.refresh();
    server().clock.advance(MINUTE + SECOND);
    await heartbeat();
    await Promise.all([copied.closed(), own.closed()]);
    expect([...copied.waiting, ...own.waiting].map(({ event }) => event)).not.toContain("signed-out");
    const back = await client.live();
    expect(back.isOpen).toBe(true);
    back.close();
  });

  test("is closed when the previous cookie expires, if that may have opened it", async () => {
    const { client, browser } = await signUpBound(server());
    const copy = copyOf(server(), client);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    server().clock.advance(9 * MINUTE);
    await browser.refresh();
    const copied = await copy.live();
    server().clock.advance(MINUTE + SECOND);
    await heartbeat();
    await copied.closed();
    expect(copied.waiting.map(({ event }) => event)).not.toContain("signed-out");
  });

  test("is closed when the session is bound after it was opened", async () => {
    const { client, email } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const copied = await copyOf(server(), client).live();
    expect((await new BoundBrowser(client).register(signedIn)).status).toBe(200);
    await expectSignedIn(client);
    await heartbeat();
    await copied.closed();
    expect(copied.waiting.map(({ event }) => event)).not.toContain("signed-out");
  });
});

describe("If sessions aren't bound", () => {
  describeOnEachEngine("on http", (engine) => {
    const server = serverFor(engine);
    test("nothing is offered", async () => {
      const person = await signUp(server());
      const answer = await person.client.post("/api/session", { email: person.email, password: PASSWORD });
      expect(answer.headers).not.toHaveProperty("secure-session-registration");
    });
  });

  describeOnEachEngine("with LATCHKEY_COOKIE_DOMAIN", (engine) => {
    const server = serverFor(engine, { baseUrl: BASE, cookieDomain: "example.test" });
    test("nothing is offered", async () => {
      const person = await signUp(server());
      const answer = await person.client.post("/api/session", { email: person.email, password: PASSWORD });
      expect(answer.headers).not.toHaveProperty("secure-session-registration");
    });
  });

  describeOnEachEngine("once it is turned off", (engine) => {
    const on = serverFor(engine, { baseUrl: BASE });
    test("bound sessions go on with their main cookie, and are released at the next refresh", async () => {
      const { browser, client, email, password } = await signUpBound(on());
      const { database, clock, secretKey } = on();
      const off = await startServer({
        engine,
        baseUrl: BASE,
        deviceBinding: "off",
        database,
        clock,
        secretKey,
      });
      try {
        const there = copyOf(off, client);
        there.jar.delete(BOUND);
        await expectSignedIn(there);
        const same = Object.assign(new BoundBrowser(there), {
          sessionId: browser.sessionId,
          challenge: browser.challenge,
          key: browser.key,
        });
        expectRefusal(await same.refresh(), 401, "signed_out");
        const again = copyOf(on(), there, [MAIN]);
        await expectSignedIn(again);
        const signedIn = await there.post("/api/session", { email, password });
        expect(signedIn.headers).not.toHaveProperty("secure-session-registration");
      } finally {
        await off.close();
      }
    });
  });
});
