import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BOUND, copyOf, signUpBound } from "../support/browsers/bound-browser.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import { Clock, MINUTE } from "../support/requests/clock.ts";
import { expectProblem, expectRefusal } from "../support/requests/expectations.ts";
import { activityOf } from "../support/requests/people.ts";
import { frameworks, startApp, type TestApp } from "../support/servers/apps.ts";

const MAIN = "__Host-latchkey";

describe.each(Object.entries(frameworks))("A bound session inside an app of %s", (_, build) => {
  const clock = new Clock();
  let database: TestDatabase;
  let server: TestApp;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    server = await startApp(build, database, { scheme: "https", now: clock.now });
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  test("is bound and refreshed at the mounted paths, and opens the app", async () => {
    const { client, browser } = await signUpBound(server);
    for (let round = 0; round < 2; round++) {
      clock.advance(9 * MINUTE);
      expect((await browser.refreshOnce()).status).toBe(200);
      const answer = await server.app(client).get("/notes");
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body).toMatchObject({ session: browser.sessionId });
    }
  });

  test("doesn't open the app to a copy of its main cookie, and its owner is told", async () => {
    const { client } = await signUpBound(server);
    const copy = server.app(copyOf(server, client, [MAIN]));
    expectRefusal(await copy.get("/notes"), 401, "device_proof_needed");
    const page = await copy.get("/notes", { Accept: "text/html", "Sec-Fetch-Mode": "navigate" });
    expect([page.status, header(page, "location")]).toEqual([
      302,
      expect.stringContaining("/auth/login?next="),
    ]);
    expect((await server.app(client).get("/notes")).status).toBe(200);
    const told = async () =>
      (await activityOf(client)).filter(({ kind }) => kind === "cookie_copy_used").length;
    await expect.poll(told).toBe(1);
  });

  test("doesn't open the app to a copy of all its cookies, once the short-lived one has expired", async () => {
    const { client } = await signUpBound(server);
    const copy = server.app(copyOf(server, client));
    expect((await copy.get("/notes")).status).toBe(200);
    clock.advance(11 * MINUTE);
    expectProblem(await copy.get("/notes"), 401, "device_proof_needed");
  });

  test("has a bound cookie that proves nothing cleared at the app's own paths too, so that its browser gets another", async () => {
    const { client, browser } = await signUpBound(server);
    const app = server.app(client);
    for (const headers of [{}, { Accept: "text/html", "Sec-Fetch-Mode": "navigate" }]) {
      client.jar.set(BOUND, "A".repeat(43));
      const refused = await app.get("/notes", headers);
      expect(refused.setCookies).toEqual([expect.stringMatching(/^__Host-latchkey-bound=; Max-Age=0; /)]);
      expect(client.jar.get(BOUND)).toBeUndefined();
      expect((await browser.refresh()).status).toBe(200);
      expect((await app.get("/notes")).status).toBe(200);
    }
  });
});
