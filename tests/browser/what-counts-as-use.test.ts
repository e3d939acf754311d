import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import express from "express";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mount } from "../../src/adapters/express.ts";
import { browserFor, logInInBrowser, setVisibility, signUpInBrowser } from "../support/browsers/browser.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { DAY, MINUTE } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { type Build, startApp, type TestApp } from "../support/servers/apps.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

/** What a page reads from now on: the path, and whether the page marks it as its own refresh. */
function readsOf(page: Page): { path: string; background: boolean }[] {
  const reads: { path: string; background: boolean }[] = [];
  page.on("request", (request) => {
    const path = /\/api\/(session|sessions|account\/login-methods|activity)$/.exec(request.url())?.[1];
    if (path !== undefined && request.method() === "GET")
      reads.push({ path, background: request.headers()["latchkey-background"] === "1" });
  });
  return reads;
}

/** As when the person goes to another tab, and comes back. */
async function comeBack(page: Page): Promise<void> {
  for (const state of ["hidden", "visible"] as const) await setVisibility(page, state);
}

describe("what a page reads", () => {
  const server = serverOn();
  const browser = browserFor();

  /** The security page, as someone opens it afresh. */
  async function onSecurityPage() {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, email, PASSWORD);
    const reads = readsOf(page);
    await page.reload();
    await page.getByText("Current session").waitFor();
    return { page, reads, email };
  }

  it("when it is opened is use; what it refreshes after that is not", async () => {
    const { page, reads, email } = await onSecurityPage();
    for (const path of ["session", "sessions", "account/login-methods", "activity"])
      await expect.poll(() => reads.find((read) => read.path === path)).toEqual({ path, background: false });

    const known = reads.length;
    const windows = (await browser.device({ userAgent: UA.firefoxWindows })).page;
    await logInInBrowser(windows, server().baseUrl, email, PASSWORD);
    await page.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
    const refreshed = reads.slice(known);
    expect(refreshed.map(({ path }) => path)).toContain("sessions");
    expect(refreshed.filter(({ background }) => !background)).toEqual([]);
  });

  it("when a person comes back to it is use, and the list says so", async () => {
    const { page, reads } = await onSecurityPage();
    const known = reads.length;
    const now = server().clock.now() + DAY;
    server().clock.advance(DAY);
    await comeBack(page);
    await expect.poll(() => reads.slice(known)).toContainEqual({ path: "session", background: false });
    const shown = () => page.getByRole("listitem").first().locator("time").getAttribute("datetime");
    await expect.poll(async () => Date.parse((await shown()) ?? "")).toBeGreaterThan(now - MINUTE);
  });
});

const script = readFileSync(new URL("../../dist/elements/index.js", import.meta.url));

/** A page of an app with the element in it. */
const host: Build = async (latchkey) => {
  const app = express();
  app.use(mount(latchkey));
  app.get("/elements.js", (_request, reply) => void reply.type("text/javascript").send(script));
  app.get("/devices", (_request, reply) => {
    reply
      .type("text/html")
      .send(`<!doctype html><html lang="en"><title>Devices</title><script type="module" src="/elements.js"></script>
        <login-management base-path="/auth"></login-management></html>`);
  });
  return createServer(app);
};

describe("what the element <login-management> reads", () => {
  const browser = browserFor();

  let database: TestDatabase;
  let app: TestApp;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    app = await startApp(host, database);
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const devices = () => app.baseUrl.replace("/auth", "/devices");

  /**
   * Someone whose browser gets no answer to these calls, on the element's page, by a clock that the test
   * controls.
   */
  async function atFailingList(calls: string) {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, app.baseUrl, freshEmail(), PASSWORD);
    await page.addInitScript("window.EventSource = class extends EventTarget { close() {} }");
    await page.clock.install();
    await page.route(calls, (route) => route.abort());
    const reads = readsOf(page);
    await page.goto(devices());
    await page.getByText("No answer from the server. The list appears by itself").waitFor();
    return { page, reads };
  }

  it("when someone opens its page or comes back to it is use; what it refreshes is not", async () => {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, app.baseUrl, email, PASSWORD);
    // What the security page reads after its list isn't the element's.
    await page.goto("about:blank");
    const reads = readsOf(page);
    await page.goto(devices());
    await page.getByText("Current session").waitFor();
    expect(reads[0]).toEqual({ path: "sessions", background: false });

    let known = reads.length;
    const windows = (await browser.device({ userAgent: UA.firefoxWindows })).page;
    await logInInBrowser(windows, app.baseUrl, email, PASSWORD);
    await page.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
    expect(reads.slice(known).filter(({ background }) => !background)).toEqual([]);

    known = reads.length;
    await comeBack(page);
    await expect.poll(() => reads.slice(known)).toContainEqual({ path: "session", background: false });
  });

  it("is nothing while it fails and nobody looks at its page, and is the list at once when someone does", async () => {
    const { page, reads } = await atFailingList("**/auth/api/sessions");
    await setVisibility(page, "hidden");
    const known = reads.length;
    for (let tries = 1; tries <= 3; tries++) {
      await page.clock.fastForward(20_000);
      for (let times = 0; times < 5; times++) await page.evaluate(() => fetch("/"));
    }
    expect(reads.slice(known)).toEqual([]);
    await page.unroute("**/auth/api/sessions");
    await setVisibility(page, "visible");
    await page.getByText("Current session").waitFor();
  });

  it("isn't tried more often, however often someone comes back to its page meanwhile", async () => {
    const { page, reads } = await atFailingList("**/auth/api/session*");
    const later = async (time: number) => {
      await page.clock.runFor(time);
      await page.evaluate(() => fetch("/"));
    };
    for (let times = 0; times < 8; times++) {
      await comeBack(page);
      await later(1_300);
    }
    const known = reads.length;
    for (let time = 0; time < MINUTE; time += 500) await later(500);
    const tried = reads.slice(known).filter(({ path }) => path === "sessions");
    expect(tried.length).toBeGreaterThan(0);
    expect(tried.length).toBeLessThanOrEqual(5);
  });
});
