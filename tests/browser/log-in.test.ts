import { describe, expect, it } from "vitest";
import {
  browserFor,
  createAccount,
  focused,
  logInInBrowser,
  signUpInBrowser,
} from "../support/browsers/browser.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { DAY } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD, signUp, turnOnTwoFactor } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("logging in, in the browser", () => {
  const server = serverOn();
  const browser = browserFor();

  it("asks for empty fields before anything is sent, and selects a wrong password", async () => {
    const { page } = await browser.device();
    const sent: string[] = [];
    page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
    const button = page.getByRole("button", { name: "Log in", exact: true });
    await page.goto(`${server().baseUrl}/login`);
    await button.click();
    await page.getByText("Enter your email address.").waitFor();
    await page.getByLabel("Email").fill("nobody@example.test");
    await button.click();
    await page.getByText("Enter your password.").waitFor();
    await expect.poll(() => focused(page)).toBe("Password");
    expect(sent.filter((url) => url.endsWith("/api/session"))).toEqual([]);
    await page.keyboard.type("not the password");
    await page.keyboard.press("Enter");
    await page.getByText("Wrong email or password.").waitFor();
    const marked = "document.activeElement.selectionEnd - document.activeElement.selectionStart";
    await expect.poll(() => page.evaluate(marked)).toBe("not the password".length);
    await expect.poll(() => focused(page)).toBe("Password");
    await page.goto(`${server().baseUrl}/forgot-password`);
    await page.getByRole("button", { name: "Send the link" }).click();
    await page.getByText("Enter your email address.").waitFor();
    for (const typed of ["ada", "ada@example", "ada lovelace@example.test"]) {
      await page.getByLabel("Email").fill(typed);
      await page.getByRole("button", { name: "Send the link" }).click();
      await page.getByText("Enter a valid email address.").waitFor();
      await expect.poll(() => focused(page)).toBe("Email");
      await page.reload();
    }
    expect(sent.filter((url) => url.endsWith("/api/password-resets"))).toEqual([]);
  });

  it("shows what was typed, by a button whose name alone says what it does next", async () => {
    const { page } = await browser.device();
    await page.goto(`${server().baseUrl}/login`);
    await page.getByLabel("Password").fill(PASSWORD);
    const button = page.getByRole("button", { name: /characters/ });
    const state = async () => [
      await button.ariaSnapshot(),
      await page.getByLabel("Password").getAttribute("type"),
    ];
    expect(await state()).toEqual(['- button "Show characters"', "password"]);
    await button.press("Enter");
    // With aria-pressed as well, it would be announced as if the characters were hidden.
    await expect.poll(state).toEqual(['- button "Hide characters"', "text"]);
    await button.press("Enter");
    await expect.poll(state).toEqual(['- button "Show characters"', "password"]);
  });

  it("says on the first render why you are here, without another request", async () => {
    const { baseUrl } = server();
    const email = freshEmail();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const { account } = await page.evaluate<{ account: { id: string } }>(
      "fetch('/api/session').then((answer) => answer.json())",
    );
    await server().latchkey.sessions.endAll(account.id, "an administrator");
    await page.waitForURL("**/login");
    await context.route("**/api/**", (route) => route.abort());
    await page.reload();
    expect(await page.locator(".why").textContent()).toBe(
      "An administrator logged you out, just now. Ask whoever runs this site.",
    );
  });

  it("says after 30 days that the session's time is over", async () => {
    const { baseUrl, clock } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    clock.advance(30 * DAY);
    await page.goto(`${baseUrl}/settings/security`);
    await page.getByText("Your session reached 30 days, its time limit. Log in again.").waitFor();
  });

  it("carries the email address over to the login page if it already has an account", async () => {
    const { baseUrl } = server();
    const { email } = await signUp(server());
    const { page } = await browser.device();
    await page.goto(`${baseUrl}/sign-up`);
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account", exact: true }).click();
    await page.getByText("This address already has an account.").waitFor();
    await page.getByRole("link", { name: "Log in instead" }).click();
    await expect.poll(() => page.getByLabel("Email").inputValue()).toBe(email);
    expect(page.url()).not.toContain(email);
  });

  it("leads to the same place on the page by way of a new account, and of a forgotten password that was remembered", async () => {
    const { baseUrl } = server();
    const { email } = await signUp(server());
    const place = "#/inbox?of=ada&token=the-apps-own";
    const begin = async () => {
      const { page } = await browser.device({ userAgent: UA.chromeMac });
      await page.goto(`${baseUrl}/login?next=%2Ffavicon.svg%3Fof%3Dthe-app${place}`);
      await page.getByRole("link", { name: "Create account" }).click();
      return page;
    };
    const newcomer = await begin();
    await newcomer.getByRole("link", { name: "I already have an account" }).click();
    await newcomer.getByRole("link", { name: "Create account" }).click();
    await createAccount(newcomer, freshEmail(), PASSWORD);
    await newcomer.waitForURL(`${baseUrl}/favicon.svg?of=the-app${place}`);

    const known = await begin();
    await createAccount(known, email, PASSWORD);
    await known.getByRole("link", { name: "Log in instead" }).click();
    await known.getByRole("link", { name: "Forgot password?" }).click();
    await known.getByLabel("Email").fill(email);
    await known.getByRole("button", { name: "Send the link" }).click();
    await known.getByText("a link is on its way").waitFor();
    await known.getByRole("link", { name: "Back to log in" }).click();
    await known.getByLabel("Email").fill(email);
    await known.getByLabel("Password").fill(PASSWORD);
    await known.getByLabel("Password").press("Enter");
    await known.waitForURL(`${baseUrl}/favicon.svg?of=the-app${place}`);
  });

  it("is still at the second step if a phone reloads the page on the way back from the authenticator app", async () => {
    const { baseUrl, clock } = server();
    const person = await signUp(server());
    const { secret } = await turnOnTwoFactor(server(), person);
    const { page } = await browser.device({ userAgent: UA.safariIphone });
    const begin = async () => {
      await page.getByLabel("Email").fill(person.email);
      await page.getByLabel("Password").fill(PASSWORD);
      await page.getByLabel("Password").press("Enter");
      await page.getByLabel("Authentication code").waitFor();
      await page.reload();
      await page.getByLabel("Authentication code").waitFor();
    };
    await page.goto(`${baseUrl}/login?next=%2Ffavicon.svg#/inbox`);
    await begin();
    await page.getByRole("button", { name: "Start again" }).click();
    await page.reload();
    await begin();
    clock.toMiddleOf(STEP);
    clock.advance(STEP);
    await page.getByLabel("Authentication code").fill(codeAt(secret, clock.now()));
    await page.getByRole("button", { name: "Verify" }).click();
    await page.waitForURL(`${baseUrl}/favicon.svg#/inbox`);
  });

  it("goes back to the first step, and says why, if the second took too long", async () => {
    const { baseUrl } = server();
    const person = await signUp(server());
    await turnOnTwoFactor(server(), person);
    const { page } = await browser.device();
    await logInInBrowser(page, baseUrl, person.email, PASSWORD);
    await page.getByLabel("Authentication code").fill("000000");
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("That code is not right, or was already used. Wait for the next one.").waitFor();
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByText("is not right").waitFor({ state: "detached" });
    await page.getByLabel("Recovery code").fill("wrong");
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("That recovery code is not right, or was already used. Try another one.").waitFor();
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("That took too long, or too many codes were wrong. Log in again.").waitFor();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await expect.poll(() => focused(page)).toBe("Email");
  });
});
