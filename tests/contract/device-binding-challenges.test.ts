import { expect, test } from "vitest";
import { BoundBrowser, copyOf, offeredChallenge, signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { PASSWORD, signUp } from "../support/requests/people.ts";
import { serverFor } from "../support/servers/server.ts";

/** So late, a browser that asks gets another challenge than the one it has, which hasn't expired yet. */
const PAST_HALF = 8 * MINUTE;

describeOnEachEngine("A browser that signs the challenge before the last one", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://app.example.test" });

  async function givenAnother() {
    const bound = await signUpBound(server());
    const former = bound.browser.challenge;
    server().clock.advance(PAST_HALF);
    expectRefusal(await bound.browser.refreshOnce(null), 403, "device_proof_stale");
    expect(bound.browser.challenge).toMatch(/^[\w-]{43}$/);
    expect(bound.browser.challenge).not.toBe(former);
    return { ...bound, former };
  }

  test("gets its cookie, once", async () => {
    const { browser, client, former } = await givenAnother();
    const late = browser.proof(former);
    expect((await browser.refreshOnce(late)).status).toBe(200);
    expectRefusal(await browser.refreshOnce(late), 403, "device_proof_stale");
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectSignedIn(client);
  });

  test("gets none once that one has expired, and signs the last one instead", async () => {
    const { browser, client, former } = await givenAnother();
    server().clock.advance(PAST_HALF);
    expectRefusal(await browser.refreshOnce(browser.proof(former)), 403, "device_proof_stale");
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectSignedIn(client);
  });
});

describeOnEachEngine("A challenge that a browser is signing", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://app.example.test" });

  test("isn't pushed out by proofs that were valid once, however often they come", async () => {
    const { browser, client } = await signUpBound(server());
    const used = browser.proof();
    expect((await browser.refreshOnce(used)).status).toBe(200);
    const others = new BoundBrowser(copyOf(server(), client));
    others.sessionId = browser.sessionId;
    for (let times = 0; times < 3; times++)
      expectRefusal(await others.refreshOnce(used), 403, "device_proof_stale");
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectSignedIn(client);
  });
});

describeOnEachEngine("A session that isn't bound", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://app.example.test" });

  test("has nothing to refresh, with a proof or without one", async () => {
    const { email, client } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    const browser = new BoundBrowser(client);
    const sessionId = need(signedIn, "session").id;
    Object.assign(browser, { sessionId, challenge: offeredChallenge(signedIn) });
    for (const proof of [null, browser.proof()])
      expectRefusal(await browser.refreshOnce(proof), 401, "signed_out");
    await expectSignedIn(client);
  });
});

describeOnEachEngine("A session that is being bound", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://app.example.test" });

  test("to two keys at the same time is bound to one of them", async () => {
    const { email, client } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    const browsers = [new BoundBrowser(client), new BoundBrowser(copyOf(server(), client))];
    const answers = await Promise.all(browsers.map((browser) => browser.register(signedIn)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
    for (const [number, browser] of browsers.entries()) {
      Object.assign(browser, { sessionId: need(signedIn, "session").id });
      expect((await browser.refresh()).status).toBe(answers[number]?.status === 200 ? 200 : 403);
    }
  });

  test("no longer has the challenge of its registration: a proof of it is valid once", async () => {
    const { email, client } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    const browser = new BoundBrowser(client);
    expect((await browser.register(signedIn)).status).toBe(200);
    const spent = browser.proof(offeredChallenge(signedIn));
    expectRefusal(await browser.refreshOnce(spent), 403, "device_proof_stale");
    expect((await browser.refreshOnce()).status).toBe(200);
  });

  test("is also bound by its first refresh, if its bound cookie was never sent", async () => {
    const { email, client } = await signUp(server());
    const browser = new BoundBrowser(client);
    await browser.register(await client.post("/api/session", { email, password: PASSWORD }));
    browser.dropCookie();
    await expectSignedIn(client);
    expect((await browser.refresh()).status).toBe(200);
    const copy = copyOf(server(), client, ["__Host-latchkey"]);
    expectRefusal(await copy.get("/api/session"), 401, "device_proof_needed");
    await expectSignedIn(client);
  });
});
