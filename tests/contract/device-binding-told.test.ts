import { afterEach, expect, test } from "vitest";
import { BoundBrowser, copyOf, signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { holdWrites } from "../support/databases/hold-writes.ts";
import { tokenIn } from "../support/mail/outbox.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY, MINUTE, SECOND } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectProblem,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import { activityOf, listOf, PASSWORD, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer } from "../support/servers/server.ts";

const BASE = "https://app.example.test";
const MAIN = "__Host-latchkey";

describeOnEachEngine("The owner of a bound session", (engine) => {
  const server = serverFor(engine, { baseUrl: BASE });
  afterEach(() => server().clock.setTo(server().clock.now()));

  /** How often a copy's use was reported; every notice that was begun is written by then. */
  async function copiesTold(client: Client): Promise<number> {
    await server().latchkey.parts.settled();
    return (await activityOf(client)).filter(({ kind }) => kind === "cookie_copy_used").length;
  }

  test("has their open page's stream closed once the session is bound, so that it comes back with the proof", async () => {
    const { email, client } = await signUp(server());
    const signedIn = await client.post("/api/session", { email, password: PASSWORD });
    const page = await client.live();
    await new BoundBrowser(client).register(signedIn);
    await expectSignedIn(client);
    await page.closed();
    expect(page.waiting.map(({ event }) => event)).not.toContain("signed-out");
    (await client.live()).close();
    expect(await listOf(client)).toMatchObject([{ bound: true }]);
  });

  test("sees on an open page that a copy of their cookie was used", async () => {
    const { client } = await signUpBound(server());
    const page = await client.live();
    expectRefusal(await copyOf(server(), client, [MAIN]).get("/api/session"), 401, "device_proof_needed");
    await page.nextOf("sessions-changed");
    page.close();
    expect(await copiesTold(client)).toBe(1);
  });

  test("is told of a copy of all cookies once the short-lived one has expired, and not before", async () => {
    const { browser, client } = await signUpBound(server());
    const thief = copyOf(server(), client);
    await expectSignedIn(thief);
    server().clock.advance(5 * MINUTE);
    await browser.refreshOnce();
    await expectSignedIn(thief);
    expect(await copiesTold(client)).toBe(0);
    server().clock.advance(6 * MINUTE);
    expectProblem(await thief.get("/api/session"), 401, "device_proof_needed");
    expect(await copiesTold(client)).toBe(1);
  });

  test("reads in the email which device its link logs out: their own, not the one that has the copy", async () => {
    const { client, email } = await signUpBound(server());
    const thief = server().client(UA.firefoxWindows);
    thief.token = client.token;
    expectRefusal(await thief.get("/api/session"), 401, "device_proof_needed");
    await copiesTold(client);
    const mail = await server().outbox.withSubject(email, "A copy of your session on Chrome on Mac OS");
    expect(mail.text).toContain("from Firefox on Windows.");
    expect(mail.text).toContain("logs Chrome on Mac OS out if it is still logged in");
    expectNoContent(
      await server()
        .client()
        .post("/api/not-me", { token: tokenIn(mail, "/not-me") }),
    );
    await expectSignedOut(client, "reported");
  });

  test("is told again a day after the last time, and no sooner", async () => {
    const { clock } = server();
    const begun = clock.now();
    clock.stopAt(begun);
    const { browser, client, email } = await signUpBound(server());
    const copy = copyOf(server(), client, [MAIN]);
    for (const [after, times] of [
      [0, 1],
      [DAY - 1, 1],
      [DAY, 2],
    ] as const) {
      clock.stopAt(begun + after);
      expect((await browser.refresh()).status).toBe(200);
      expectRefusal(await copy.get("/api/session"), 401, "device_proof_needed");
      expect(await copiesTold(client)).toBe(times);
      const emails = await server().outbox.to(email);
      expect(emails.filter(({ subject }) => subject.includes("A copy of"))).toHaveLength(times);
    }
  });

  test("is told once of a copy that is used at two nodes at the same time", async () => {
    const { client, email } = await signUpBound(server());
    const { clock, database, secretKey } = server();
    const other = await startServer({ engine, baseUrl: BASE, clock, database, secretKey });
    try {
      const letGo = await holdWrites(database, "select id from account for update");
      for (const node of [server(), other])
        expectRefusal(await copyOf(node, client, [MAIN]).get("/api/session"), 401, "device_proof_needed");
      await letGo();
      // Either node may send the notice: both use the same folder of emails, and each waits for its own.
      for (const node of [other, server()]) await node.outbox.all();
      expect(await copiesTold(client)).toBe(1);
      const emails = (await other.outbox.to(email)).filter(({ subject }) => subject.includes("A copy of"));
      expect(emails).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test.each([
    [
      "is told of a request without the short-lived cookie while their browser still has it",
      9 * MINUTE + 30 * SECOND - 1,
      1,
    ],
    ["isn't told of one from when their browser drops it", 9 * MINUTE + 30 * SECOND, 0],
    ["isn't told of one until it has expired", 10 * MINUTE, 0],
    ["is told of one after that", 10 * MINUTE + 1, 1],
  ])("%s", async (_, after, times) => {
    const { clock } = server();
    const start = clock.now();
    clock.stopAt(start);
    const { browser, client } = await signUpBound(server());
    const without = copyOf(server(), client, [MAIN]);
    clock.stopAt(start + after);
    expectRefusal(await without.get("/api/session"), 401, "device_proof_needed");
    expect((await browser.refreshOnce()).status).toBe(200);
    expect(await copiesTold(client)).toBe(times);
  });
});
