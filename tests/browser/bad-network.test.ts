import type { Page, Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  beginTwoFactor,
  browserFor,
  createAccount,
  focused,
  signUpInBrowser,
} from "../support/browsers/browser.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import {
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signUp,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("on a bad network", () => {
  const server = serverOn();
  const browser = browserFor();

  async function logOut(page: Page): Promise<void> {
    await page.getByRole("button", { name: /account menu/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
  }

  it("a log-out that fails is reported, and so is whether the person is still logged in", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    let answer = (route: Route) => route.abort();
    await page.route("**/api/session", (route) => answer(route));
    await logOut(page);
    await page.getByText("No answer from the server: you may still be logged in here. Try again.").waitFor();
    await page.getByRole("menuitem", { name: "Log out" }).waitFor({ state: "hidden" });
    expect(await focused(page)).toMatch(/account menu$/);

    answer = (route) => (isLogOut(route) ? route.fulfill({ status: 503 }) : route.continue());
    await logOut(page);
    await page
      .getByText("You are still logged in here: the server couldn't log you out. Try again.")
      .waitFor();

    answer = (route) => route.continue();
    await logOut(page);
    await page.waitForURL("**/login");
  });

  it("a log-out whose answer is lost has happened all the same", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    // The stream would report it, too.
    await page.route("**/api/live", (route) => route.abort());
    await page.reload();
    await page.getByText("Current session").waitFor();
    await page.route("**/api/session", async (route) => {
      if (!isLogOut(route)) return route.continue();
      await route.fetch();
      return route.abort();
    });
    await logOut(page);
    await page.waitForURL("**/login");
  });

  it("a change of password whose answer is lost says which password to log in with", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    const email = freshEmail();
    await signUpInBrowser(page, server().baseUrl, email, PASSWORD);
    const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    await page.route("**/api/account/password", async (route) => {
      // Not through the browser, which would keep the answer's new cookie.
      const request = route.request();
      const headers = { ...request.headers(), cookie: cookies };
      await fetch(request.url(), { method: "PUT", headers, body: request.postData() });
      await route.abort();
    });
    await changePassword(page);
    await page.getByText("The answer to your change of password was lost on the way.").waitFor();
    await page.reload();
    await page.getByLabel("Email").fill(email);
    expect(await page.getByText("was lost on the way").count()).toBe(0);
    await page.getByLabel("Password").fill(OTHER_PASSWORD);
    await page.getByLabel("Password").press("Enter");
    await page.getByText("Current session").waitFor();
  });

  it("a change of password that the person didn't wait for isn't mentioned at a later login", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    await page.route("**/api/account/password", () => {});
    const sent = page.waitForRequest("**/api/account/password");
    await changePassword(page);
    await sent;
    await page.reload();
    await page.getByText("Current session").waitFor();
    await page.context().clearCookies();
    await page.reload();
    await page.waitForURL("**/login?next=**");
    await page.getByLabel("Email").waitFor();
    expect(await page.getByText("was lost on the way").count()).toBe(0);
  });

  it("two-factor authentication that was turned on without an answer asks for new recovery codes", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    const { card, secret } = await beginTwoFactor(page, PASSWORD);
    let isLost = true;
    await page.route("**/api/account/two-factor**", async (route) => {
      if (!isLost) return route.continue();
      await route.fetch();
      return route.abort();
    });
    await page.route("**/api/account/two-factor/recovery-codes", (route) =>
      isLost ? route.abort() : route.continue(),
    );
    const { clock } = server();
    clock.toMiddleOf(STEP);
    await card.getByLabel("Authentication code").fill(codeAt(secret, clock.now()));
    await card.getByLabel("Authentication code").press("Enter");
    await card.getByText("its recovery codes were lost on the way here. Make new ones now.").waitFor();
    await expect.poll(() => focused(page)).toBe("Current password");
    clock.advance(STEP);
    await card.getByLabel("Current password").fill(PASSWORD);
    await card.getByLabel("Authentication code").fill(codeAt(secret, clock.now()));
    await card.getByLabel("Authentication code").press("Enter");
    await card.getByText("your old recovery codes may no longer work. Try again").waitFor();
    isLost = false;
    await card.getByRole("button", { name: "Make new codes" }).click();
    await card.getByText("Keep these recovery codes.").waitFor();
  });

  it("says so if the scripts of a page don't arrive, and shows the page if they do", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device();
    await page.route("**/assets/*.js", (route) => route.abort());
    await page.goto(`${baseUrl}/login`, { waitUntil: "commit" });
    const late = page.getByText("check your connection, then reload the page");
    await late.waitFor();
    await page.unroute("**/assets/*.js");
    await page.reload();
    await page.getByLabel("Email").waitFor();
    expect(await late.count()).toBe(0);
    expect(await page.getByRole("main").count()).toBe(1);
  });

  it("a button shows that its email is still being requested", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/api/account/email/verification", async (route) => {
      await held;
      await route.continue();
    });
    const button = page.getByRole("button", { name: "Resend confirmation email" });
    const isWorking = () => button.getAttribute("data-working");
    await button.click();
    await expect.poll(isWorking).toBe("true");
    release();
    await page.getByText("We sent a link to").waitFor();
    expect(await isWorking()).toBe(null);
  });

  it("says in how many seconds to try again", async () => {
    const { page } = await browser.device();
    await page.goto(`${server().baseUrl}/forgot-password`);
    await page.route("**/api/password-resets", (route) =>
      route.fulfill({
        status: 429,
        headers: { "Content-Type": "application/problem+json", "Retry-After": "1" },
        body: JSON.stringify({ status: 429, code: "too_many_attempts" }),
      }),
    );
    await page.getByLabel("Email").fill("ada@example.test");
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByText("Too many attempts. Try again in 1 second.", { exact: true }).waitFor();
  });
});

describe("while the next page loads, what was done can't be sent again", () => {
  const server = serverOn();
  const browser = browserFor();

  /** Holds back the next page until the form was sent once more; returns what the API was asked. */
  async function sendTwice(page: Page, next: string, send: () => Promise<void>): Promise<string[]> {
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.method() !== "GET") asked.push(`${request.method()} ${new URL(request.url()).pathname}`);
    });
    // A browser stays where it is on an answer without content.
    await page.route(next, (route) => route.fulfill({ status: 204 }));
    const leaves = page.waitForRequest((request) => request.isNavigationRequest());
    await send();
    await leaves;
    await page.keyboard.press("Enter");
    const button = page.locator("form [type=submit]");
    await expect.poll(() => button.getAttribute("data-working")).toBe("true");
    await page.unroute(next);
    await page.goto(server().baseUrl);
    await page.waitForURL(next);
    return asked;
  }

  it("after a sign-up", async () => {
    const { page } = await browser.device();
    await page.goto(`${server().baseUrl}/sign-up`);
    const send = () => createAccount(page, freshEmail(), PASSWORD);
    expect(await sendTwice(page, "**/settings/security", send)).toEqual(["POST /api/accounts"]);
  });

  it("after a log-in with a code", async () => {
    const { clock, baseUrl } = server();
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    const { page } = await browser.device();
    await page.goto(`${baseUrl}/login`);
    await page.getByLabel("Email").fill(person.email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByLabel("Password").press("Enter");
    const code = page.getByLabel("Authentication code");
    clock.toMiddleOf(STEP);
    await code.fill(codeAt(secret, clock.now()));
    expect(await sendTwice(page, "**/settings/security", () => code.press("Enter"))).toEqual([
      "POST /api/session/two-factor",
    ]);
  });

  it("after a password reset", async () => {
    const { email } = await signUp(server());
    const token = await resetToken(server(), email);
    const { page } = await browser.device();
    await page.goto(`${server().baseUrl}/reset-password#token=${token}`);
    const field = page.getByLabel("New password");
    await field.fill(OTHER_PASSWORD);
    expect(await sendTwice(page, "**/login", () => field.press("Enter"))).toEqual([
      "PUT /api/password-resets",
    ]);
    await page.getByText("Password changed. Every device was logged out.").waitFor();
  });
});

function isLogOut(route: Route): boolean {
  return route.request().method() === "DELETE";
}

async function changePassword(page: Page): Promise<void> {
  const card = page.getByRole("region", { name: "Password" });
  await card.getByRole("button", { name: "Change password" }).click();
  await card.getByLabel("Current password").fill(PASSWORD);
  await card.getByLabel("New password").fill(OTHER_PASSWORD);
  await card.getByLabel("New password").press("Enter");
}
