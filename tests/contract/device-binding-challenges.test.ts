import { expect, test } from "vitest";
import { signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { serverFor } from "../support/servers/server.ts";

/** So late a browser that asks gets another challenge than the one it has, which isn't over yet. */
const PAST_HALF = 8 * MINUTE;

describeOnEachEngine("A browser that signs the challenge before the last one", (engine) => {
  const server = serverFor(engine, { baseUrl: "https://app.example.test" });

  async function givenAnother() {
    const bound = await signUpBound(server());
    const former = bound.browser.challenge;
    server().clock.advance(PAST_HALF);
    expectRefusal(await bound.browser.refreshOnce(null), 403, "device_proof_stale");
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

  test("gets none once that one is over, and signs the last one instead", async () => {
    const { browser, client, former } = await givenAnother();
    server().clock.advance(PAST_HALF);
    expectRefusal(await browser.refreshOnce(browser.proof(former)), 403, "device_proof_stale");
    expect((await browser.refreshOnce()).status).toBe(200);
    await expectSignedIn(client);
  });
});
