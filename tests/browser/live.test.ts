import { describe, expect, it } from "vitest";
import {
  browserFor,
  focused,
  logInInBrowser,
  setVisibility,
  signUpInBrowser,
} from "../support/browsers/browser.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import { freshEmail, PASSWORD, signIn } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("pages that stay open", () => {
  const server = serverOn();
  const short = serverOn({ sessionLifetime: "15s" });
  const browser = browserFor();

  it("share one stream between eight tabs, and all leave together", async () => {
    const { baseUrl, latchkey } = server();
    const email = freshEmail();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const tabs = [page];
    for (let tab = 2; tab <= 8; tab++) {
      const another = await context.newPage();
      await another.goto(`${baseUrl}/settings/security`);
      await another.getByText("Current session").waitFor();
      tabs.push(another);
    }
    await expect.poll(() => latchkey.parts.live.size).toBe(1);

    const windows = (await browser.device({ userAgent: UA.firefoxWindows })).page;
    await logInInBrowser(windows, baseUrl, email, PASSWORD);
    for (const tab of tabs) await tab.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();

    // The tab that holds the stream closes; another one takes over.
    await page.close();
    await expect.poll(() => latchkey.parts.live.size).toBe(2);
    await windows.getByRole("button", { name: "Log out Chrome on Mac OS" }).click();
    await Promise.all(tabs.slice(1).map((tab) => tab.waitForURL("**/login")));
    for (const tab of tabs.slice(1))
      await tab.getByText("You were logged out from Firefox on Windows").waitFor();
  });

  it("hear from the tab that was refused, if there is no stream and they can't ask themselves", async () => {
    const { baseUrl } = server();
    const email = freshEmail();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await context.route("**/api/live", (route) => route.abort());
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const { client: other } = await signIn(server(), { email, password: PASSWORD }, UA.firefoxWindows);
    await page.reload();
    await page.getByText("Current session").waitFor();
    const tab = await context.newPage();
    await tab.goto(`${baseUrl}/settings/security`);
    await tab.getByText("Current session").waitFor();
    await tab.route("**/api/**", (route) => route.abort());
    // It asks nothing until it is refused, or it might find out by itself and leave before the click.
    let isRefused = false;
    await page.route("**/api/{session,sessions}", (route) => (isRefused ? route.continue() : route.abort()));
    await page.route("**/api/sessions/*", (route) => {
      isRefused = true;
      return route.continue();
    });

    expect((await other.delete("/api/sessions")).body).toMatchObject({ ended: 1 });
    await page.getByRole("button", { name: "Log out Firefox on Windows" }).click();
    await Promise.all([page, tab].map((one) => one.waitForURL("**/login**")));
    await page.getByText("You were logged out from Firefox on Windows").waitFor();
  });

  it("read the list again once a broken stream is back, since they missed what happened meanwhile", async () => {
    const line = await FaultProxy.start(new URL(`http://127.0.0.1:${server().port}`));
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, `http://localhost:${line.port}`, email, PASSWORD);
    const { live } = server().latchkey.parts;
    await expect.poll(() => live.size).toBe(1);

    line.fault = "refuse";
    line.cut();
    await expect.poll(() => live.size).toBe(0);
    await signIn(server(), { email, password: PASSWORD }, UA.firefoxWindows);
    line.fault = "none";
    await page.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
    await expect.poll(() => live.size).toBe(1);
    await line.stop();
  });

  it("leave by themselves when the session reaches its end (S9)", async () => {
    const { baseUrl } = short();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await page.waitForURL("**/login");
    await page.getByText("Your session reached its time limit.").waitFor();
  });

  it("say that the account was deleted, though they hear of that before the deletion is answered", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await page.route("**/api/account", async (route) => {
      const isRefused = page.waitForResponse(
        (answer) => answer.url().endsWith("/api/session") && answer.status() === 401,
      );
      const response = await route.fetch();
      await isRefused;
      // Later requests are answered once the page has heard; a page that has left doesn't answer.
      await page.evaluate(async () => {
        for (let times = 0; times < 20; times++) await fetch("/healthz");
      });
      await route.fulfill({ response });
    });
    await page.getByRole("button", { name: "Delete account…" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByLabel("Current password").fill(PASSWORD);
    await dialog.getByRole("button", { name: "Delete account" }).click();
    await page.getByText("Your account was deleted.").waitFor();
  });

  it("keep what they show while the server is away, and say so", async () => {
    const { baseUrl } = server();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await context.setOffline(true);
    await page.getByText("You are offline. This is how it was just now. It updates by itself.").waitFor();
    await page.getByRole("button", { name: "Change password" }).click();
    const card = page.getByRole("region", { name: "Password" });
    await card.getByLabel("Current password").fill(PASSWORD);
    await card.getByLabel("New password").fill("a password that is new to it");
    await card.getByRole("button", { name: "Change password" }).press("Enter");
    await card.getByText("No connection. Nothing was lost; try again.").waitFor();
    // No field was wrong: the button has to be pressed again.
    expect(await focused(page)).toBe("Change password");
    expect(await card.getByLabel("New password").inputValue()).toBe("a password that is new to it");
    expect(await page.getByText("Current session").count()).toBe(1);
    await context.setOffline(false);
    await page.getByText("You are offline.").waitFor({ state: "detached" });
    await card.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Password changed.").waitFor();
  });

  it("say why they can't show anything yet, and fill by themselves", async () => {
    const { baseUrl } = server();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    const card = page.getByRole("region", { name: "Login management" });
    let answer: { status: number; headers?: Record<string, string>; body?: string } = { status: 503 };
    await context.route("**/api/sessions", (route) => route.fulfill(answer));
    await page.reload();
    await card.getByText("The server can't answer right now. The list appears by itself").waitFor();
    answer = {
      status: 429,
      headers: { "Content-Type": "application/problem+json", "Retry-After": "2" },
      body: JSON.stringify({ status: 429, code: "too_many_attempts" }),
    };
    await card.getByText("Too many requests. The next try is in 2 seconds.").waitFor();
    await context.unroute("**/api/sessions");
    await card.getByText("Current session").waitFor();
    await card.locator(".lk-stale").waitFor({ state: "detached" });
  });

  it("stay hidden if the answer comes after the person has gone again", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    await setVisibility(page, "hidden");
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route("**/api/session", async (route) => {
      await held;
      await route.continue();
    });
    const asked = page.waitForRequest("**/api/session");
    await setVisibility(page, "visible");
    await asked;
    await setVisibility(page, "hidden");
    const answered = page.waitForResponse("**/api/session");
    answer();
    await (await answered).finished();
    // Answered after it, and rendered by then.
    for (let times = 0; times < 5; times++) await page.evaluate(() => fetch("/healthz"));
    expect(await page.getByText("Current session").isVisible()).toBe(false);
    await setVisibility(page, "visible");
    await page.getByText("Current session").waitFor();
  });

  it("come back once the browser can prove its device again", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    await setVisibility(page, "hidden");
    await page.route("**/api/session", (route) =>
      route.fulfill({
        status: 401,
        headers: { "Content-Type": "application/problem+json" },
        body: JSON.stringify({ status: 401, code: "device_proof_needed", reason: "device_proof_needed" }),
      }),
    );
    await setVisibility(page, "visible");
    await page.getByText("This browser couldn't prove yet that it is the one you logged in with.").waitFor();
    await page.unroute("**/api/session");
    await page.getByText("Current session").waitFor();
  });

  it("show nothing before their session was checked, say so, and give the focus back afterwards", async () => {
    const { baseUrl } = server();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await page.getByRole("button", { name: "Change password" }).click();
    const field = page.getByLabel("New password");
    await field.fill("half of a new pass");
    await context.route("**/api/session", (route) => route.abort());
    await setVisibility(page, "hidden");
    await page.getByText("Current session").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: /account menu/ }).waitFor({ state: "hidden" });
    await page.getByText("Checking that you are still logged in.").waitFor();
    await setVisibility(page, "visible");
    const sentence = page.getByText(
      "No answer from the server. Your page comes back as soon as there is one.",
    );
    await sentence.waitFor();
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    await expect.poll(() => page.evaluate("scrollY")).toBeGreaterThan(0);
    expect((await sentence.boundingBox())?.y).toBeGreaterThan(0);
    await context.unroute("**/api/session");
    await page.getByText("Current session").waitFor();
    await page.locator(".checking").waitFor({ state: "detached" });
    await expect.poll(() => focused(page)).toBe("New password");
    expect(await field.inputValue()).toBe("half of a new pass");
  });
});
