import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import express from "express";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mount } from "../../src/adapters/express.ts";
import { browserFor, logInInBrowser, signUpInBrowser, violationsIn } from "../support/browsers/browser.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { HOUR } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { type Build, startApp, type TestApp } from "../support/servers/apps.ts";

const script = readFileSync(new URL("../../dist/elements/index.js", import.meta.url));
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'";

/** A page of another site, with a policy as strict as ours and the element in it. */
const host: Build = async (latchkey) => {
  const app = express();
  app.use(mount(latchkey));
  app.get("/elements.js", (_request, reply) => void reply.type("text/javascript").send(script));
  app.get(
    "/look.css",
    (_request, reply) =>
      void reply
        .type("text/css")
        .send(
          ":root { --lk-text: rgb(7, 7, 7); --lk-text-muted: rgb(7, 8, 9); } login-management { --lk-accent: rgb(1, 2, 3); --lk-text: rgb(4, 5, 6); }",
        ),
  );
  app.get("/devices", ({ query: { lang = "en" } }, reply) => {
    reply
      .set("Content-Security-Policy", POLICY)
      .type("text/html")
      .send(`<!doctype html><html lang="${lang}"><title>Devices</title><meta name="viewport" content="width=device-width">
        <link rel="stylesheet" href="/look.css"><script type="module" src="/elements.js"></script>
        <main><h1>My site</h1><login-management base-path="/auth"></login-management></main></html>`);
  });
  const { createServer } = await import("node:http");
  return createServer(app);
};

describe("the element <login-management> on another site's page", () => {
  const browser = browserFor();
  let database: TestDatabase;
  let server: TestApp;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    server = await startApp(host, database);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  const devices = () => server.baseUrl.replace("/auth", "/devices");

  async function atBoth(): Promise<{ mac: Page; windows: Page; email: string }> {
    const email = freshEmail();
    const mac = (await browser.device({ userAgent: UA.chromeMac })).page;
    await signUpInBrowser(mac, server.baseUrl, email, PASSWORD);
    const windows = (await browser.device({ userAgent: UA.firefoxWindows })).page;
    await logInInBrowser(windows, server.baseUrl, email, PASSWORD);
    await windows.getByText("Current session").waitFor();
    await mac.goto(devices());
    await windows.goto(devices());
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
    return { mac, windows, email };
  }

  it("is under 40 kB, all in", () => {
    const size = gzipSync(script).length;
    console.log(`latchkey/elements is ${(size / 1024).toFixed(1)} kB gzipped.`);
    expect(size).toBeLessThan(40 * 1024);
  });

  it("lists every device, and looks the way the site wants", async () => {
    const { mac } = await atBoth();
    const rows = mac.getByRole("listitem");
    expect(await rows.count()).toBe(2);
    expect(await rows.nth(0).textContent()).toMatch(
      /Chrome on Mac OS[\s\S]*Signed in[\s\S]*Just now[\s\S]*Current session/,
    );
    expect(await rows.nth(1).locator("time").getAttribute("title")).toMatch(/\d{4}/);
    const colourOf = (selector: string) =>
      mac.evaluate(
        `getComputedStyle(document.querySelector("login-management").shadowRoot.querySelector("${selector}")).color`,
      );
    expect(await colourOf(".lk-label")).toBe("rgb(4, 5, 6)");
    // Like the React cards, it follows what the page sets for all of them.
    expect(await colourOf(".lk-muted")).toBe("rgb(7, 8, 9)");
    expect(await violationsIn(mac)).toEqual([]);
  });

  it("is dark only if the page around it is", async () => {
    const { mac } = await atBoth();
    await mac.emulateMedia({ colorScheme: "dark" });
    const ground = () =>
      mac.evaluate<string>(
        `getComputedStyle(document.querySelector("login-management").shadowRoot.querySelector(".lk-card")).backgroundColor`,
      );
    expect(await ground()).toMatch(/^(lab\(100|oklch\(1) /);
    await mac.evaluate(`document.documentElement.style.colorScheme = "light dark"`);
    await expect.poll(ground).toMatch(/^(lab\(1\d\.|oklch\(0\.2)/);
  });

  it("tells screen readers that it is English, on a page that isn't", async () => {
    const { mac } = await atBoth();
    const place = mac.getByRole("region", { name: "Login management" });
    expect(await place.getAttribute("lang")).toBeNull();
    await mac.goto(`${devices()}?lang=ar`);
    await mac.getByRole("button", { name: "Log out other devices" }).click();
    await mac.getByRole("alertdialog").waitFor();
    for (const one of [mac.getByRole("alertdialog"), mac.locator("login-management section")]) {
      expect(await one.getAttribute("lang")).toBe("en");
      expect(await one.getAttribute("dir")).toBe("ltr");
    }
  });

  it("ends a device with one click; its own page leaves by itself and comes back after a sign-in", async () => {
    const { mac, windows, email } = await atBoth();
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).click();
    await windows.waitForURL("**/auth/login?next=**");
    await windows.getByText("You were logged out from Chrome on Mac OS").waitFor();
    await mac.getByText("Firefox on Windows was logged out.").waitFor();
    await mac.getByText("Only this device is logged in.").waitFor();
    await expect
      .poll(() => mac.getByRole("button", { name: "Log out other devices" }).isDisabled())
      .toBe(true);
    await windows.getByLabel("Email").fill(email);
    await windows.getByLabel("Password").fill(PASSWORD);
    await windows.getByRole("button", { name: "Log in", exact: true }).click();
    await windows.waitForURL("**/devices");
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
  });

  it("ends all others after a question, by the keyboard alone", async () => {
    const { mac, windows } = await atBoth();
    await mac.getByRole("button", { name: "Log out other devices" }).focus();
    await mac.keyboard.press("Enter");
    const question = mac.getByRole("alertdialog", { name: "Log out other devices" });
    await question.getByText("This logs out 1 other device. You stay logged in here.").waitFor();
    await mac.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    await expect.poll(() => focusIn(mac)).toBe("Log out other devices");
    await mac.keyboard.press("Enter");
    await question.waitFor();
    await expect.poll(() => focusIn(mac)).toBe("Cancel");
    expect(await violationsIn(mac)).toEqual([]);
    await question.getByRole("button", { name: "Log out other devices" }).press("Enter");
    await mac.getByText("1 other device was logged out.").waitFor();
    await expect.poll(() => focusIn(mac)).toBe("Login management");
    await windows.waitForURL("**/auth/login?next=**");
  });

  const focusIn = (page: Page) =>
    page.evaluate<string>(
      `document.querySelector("login-management").shadowRoot.activeElement?.textContent ?? ""`,
    );

  it("forgets an open question if the site moves it to another place", async () => {
    const { mac } = await atBoth();
    await mac.getByRole("button", { name: "Log out other devices" }).click();
    await mac.getByRole("alertdialog").waitFor();
    await mac.evaluate(`document.querySelector("h1").before(document.querySelector("login-management"))`);
    expect(await mac.getByRole("alertdialog").count()).toBe(0);
    await mac.getByRole("button", { name: "Log out other devices" }).click();
    await mac.getByRole("alertdialog").getByRole("button", { name: "Log out other devices" }).click();
    await mac.getByText("1 other device was logged out.").waitFor();
  });

  it("says how long ago by the server's clock if the device's own is wrong", async () => {
    const { mac } = await atBoth();
    await mac.clock.setFixedTime(Date.now() + 3 * HOUR);
    await mac.reload();
    await mac.getByText("Current session").waitFor();
    for (const time of await mac.locator("time").all()) expect(await time.textContent()).toBe("Just now");
  });

  it("says that a session is bound to its device, once it is", async () => {
    const { mac } = await atBoth();
    await mac.route("**/auth/api/sessions", async (route) => {
      const answer = await route.fetch();
      const { sessions } = (await answer.json()) as { sessions: object[] };
      await route.fulfill({ json: { sessions: sessions.map((one) => ({ ...one, bound: true })) } });
    });
    const bound = mac.getByText("Bound to this device");
    expect(await bound.filter({ visible: true }).count()).toBe(0);
    await mac.evaluate("window.dispatchEvent(new Event('online'))");
    await expect.poll(() => bound.filter({ visible: true }).count()).toBe(2);
  });

  it("begins with the first ten of many", async () => {
    const { mac, email } = await atBoth();
    const headers = { "Content-Type": "application/json", "User-Agent": UA.script };
    const body = JSON.stringify({ email, password: PASSWORD });
    for (let more = 1; more <= 11; more++)
      expect((await fetch(`${server.baseUrl}/api/session`, { method: "POST", headers, body })).status).toBe(
        201,
      );
    const rows = mac.getByRole("listitem");
    await mac.reload();
    await mac.getByText("13 devices are logged in.").waitFor();
    await expect.poll(() => rows.count()).toBe(10);
    await mac.getByRole("button", { name: "Show all 13 devices" }).press("Enter");
    await expect.poll(() => rows.count()).toBe(13);
    await expect.poll(() => focusIn(mac)).toBe("Log out");
    expect(await mac.locator("[data-new]").count()).toBe(0);
  });

  it("lets the site decide where to go, if the site asks for that", async () => {
    const { mac, windows } = await atBoth();
    await windows.evaluate(`document.addEventListener("latchkey-signed-out", (event) => {
      event.preventDefault();
      document.title = event.detail.reason;
    })`);
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).click();
    await expect.poll(() => windows.title()).toBe("signed_out_remotely");
    expect(new URL(windows.url()).pathname).toBe("/devices");
  });

  it("keeps nothing of the previous person for the next one on a page that stays", async () => {
    const { mac, windows } = await atBoth();
    await windows.evaluate(`document.addEventListener("latchkey-signed-out", (event) => {
      event.preventDefault();
      document.querySelector("main").append(Object.assign(document.createElement("input"), { id: "log-in" }));
      document.querySelector("#log-in").focus();
    })`);
    await windows.getByRole("button", { name: "Log out other devices" }).click();
    await windows.getByRole("alertdialog").waitFor();
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).click();
    await expect.poll(() => windows.getByRole("listitem").count()).toBe(0);
    expect(await windows.evaluate("document.activeElement.id")).toBe("log-in");
    expect(await windows.getByRole("button", { name: "Log out other devices" }).isDisabled()).toBe(true);

    await mac.evaluate("window.taken = document.querySelector('login-management'), window.taken.remove()");
    expect(await mac.evaluate("window.taken.shadowRoot.querySelectorAll('li').length")).toBe(0);
    await mac.evaluate("document.querySelector('main').append(window.taken)");
    await mac.getByText("Current session").waitFor();
  });

  it("says when the list may be stale, and recovers by itself when the server is back", async () => {
    const { mac } = await atBoth();
    const { context } = await browser.device({
      userAgent: UA.safariIphone,
      storageState: await mac.context().storageState(),
    });
    const page = await context.newPage();
    await context.route("**/auth/api/sessions", (route) => route.abort());
    await page.goto(devices());
    await page.getByText("No answer from the server. The list appears by itself").waitFor();
    await context.unroute("**/auth/api/sessions");
    await page.getByText("Current session").waitFor();
    await page.getByText("No answer from the server.").waitFor({ state: "hidden" });
    await context.setOffline(true);
    await page.getByText("You are offline. This is how it was just now. It updates by itself.").waitFor();
    await context.setOffline(false);
    await page.getByText("You are offline.").waitFor({ state: "hidden" });
  });
});
