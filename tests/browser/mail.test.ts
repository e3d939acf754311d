import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { browserFor, focused, logInInBrowser, signUpInBrowser } from "../support/browsers/browser.ts";
import { freshEmail, OTHER_PASSWORD, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("emailed links in the browser", () => {
  const server = serverOn();
  const verifyFirst = serverOn({ signUp: "verify-first" });
  const browser = browserFor();

  it("resets the password with the email, logs every device out, and says what to do next (S14)", async () => {
    const { baseUrl, outbox } = server();
    const email = freshEmail();
    const mac = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(mac.page, baseUrl, email, PASSWORD);
    const phone = (await browser.device({ userAgent: UA.safariIphone })).page;
    await phone.goto(`${baseUrl}/login`);
    await phone.getByRole("link", { name: "Forgot password?" }).click();
    await phone.getByLabel("Email").fill(email);
    await phone.getByRole("button", { name: "Send the link" }).click();
    await phone.getByText("a link is on its way").waitFor();
    await expect.poll(() => focused(phone)).toBe("Check your email");
    await phone.getByRole("button", { name: "Use another address" }).click();
    await expect.poll(() => phone.getByLabel("Email").inputValue()).toBe(email);
    const token = await outbox.tokenFor(email, "/reset-password");
    await phone.goto(`${baseUrl}/reset-password#token=${token}`);
    await phone.getByLabel("New password").fill(OTHER_PASSWORD);
    await expect.poll(() => phone.url()).not.toContain(token);
    await phone.getByRole("button", { name: "Set the password" }).click();
    await phone.waitForURL("**/login");
    await phone.getByText("Every device was logged out. Log in with the new password.").waitFor();
    await mac.page.waitForURL("**/login");
    await mac.page.getByText("Your password was reset").waitFor();
    await logInInBrowser(phone, baseUrl, email, OTHER_PASSWORD);
    await phone.getByText("Current session").waitFor();
  });

  it("start an account: another address can be entered, and a used link says so", async () => {
    const { baseUrl, outbox } = verifyFirst();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await page.goto(`${baseUrl}/sign-up`);
    const send = async (address: string) => {
      await page.getByLabel("Email").fill(address);
      await page.getByRole("button", { name: "Create account" }).click();
      await page.getByText(`We sent a link to ${address}.`).waitFor();
      await expect.poll(() => focused(page)).toBe("Check your email");
    };
    await send(`${email}.typo`);
    await page.getByRole("button", { name: "Use another address" }).click();
    expect(await page.getByLabel("Email").inputValue()).toBe(`${email}.typo`);
    await send(email);
    const link = `${baseUrl}/sign-up#token=${await outbox.tokenFor(email, "/sign-up")}`;
    const other = (await browser.device()).page;
    await other.goto(link);
    await page.goto("about:blank");
    await page.goto(link);
    const choosePassword = async (at: Page) => {
      await at.getByLabel("Password").fill(PASSWORD);
      await at.getByRole("button", { name: "Create account" }).click();
    };
    await choosePassword(page);
    await page.getByText("Current session").waitFor();
    await choosePassword(other);
    await other.getByText("This link has expired or was already used.").waitFor();
    await expect.poll(() => focused(other)).toBe("This link no longer works");
    await other.getByRole("link", { name: "Ask for a new link" }).click();
    await other.waitForURL("**/sign-up");
  });

  it("confirms the address only when the button is pressed", async () => {
    const { baseUrl, outbox } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const token = await outbox.tokenFor(email, "/confirm-email");
    const other = (await browser.device({ userAgent: UA.safariIphone })).page;
    await other.goto(`${baseUrl}/confirm-email#token=${token}`);
    await other.getByRole("button", { name: "This is my account" }).waitFor();
    await page.reload();
    await page.getByText("Not confirmed yet").waitFor();
    await other.getByRole("button", { name: "This is my account" }).click();
    await other.getByText("Your address is confirmed.").waitFor();
    await other.getByRole("heading", { name: "Address confirmed" }).waitFor();
    await expect.poll(() => focused(other)).toBe("Address confirmed");
    await page.getByText("Confirmed", { exact: true }).waitFor();
    await other.goto(`${baseUrl}/confirm-email#token=${token}`);
    await other.getByText("This link has expired or was already used.").waitFor();
    await other.getByRole("link", { name: "Open your security settings" }).click();
    await other.waitForURL("**/login?next=**");
  });

  it("changes the email once the new address confirms it, and the old address takes it back", async () => {
    const { baseUrl, outbox } = server();
    const [email, newEmail] = [freshEmail("old"), freshEmail("new")];
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const own = await context.newPage();
    const confirm = async (address: string) => {
      await own.goto("about:blank");
      await own.goto(`${baseUrl}/confirm-email#token=${await outbox.tokenFor(address, "/confirm-email")}`);
      await own.getByRole("button", { name: "Confirm this address" }).click();
      await own.getByText("Your address is confirmed.").waitFor();
    };
    await confirm(email);
    await page.getByRole("button", { name: "Change email" }).click();
    const card = page.getByRole("region", { name: "Email" });
    await card.getByLabel("New email").fill(newEmail);
    await card.getByLabel("Current password").fill(PASSWORD);
    await card.getByRole("button", { name: "Send the link" }).click();
    await page.getByText(`We sent a link to ${newEmail}.`).waitFor();
    await confirm(newEmail);
    await card.getByText(newEmail, { exact: true }).waitFor();
    const mail = (await browser.device({ userAgent: UA.safariIphone })).page;
    await mail.goto(`${baseUrl}/keep-email#token=${await outbox.tokenFor(email, "/keep-email")}`);
    await mail.getByRole("button", { name: "Keep my address" }).click();
    await mail.getByText("Your address stays.").waitFor();
    await page.waitForURL("**/login");
    await page.getByText("Your email address was changed").waitFor();
    await mail.getByRole("link", { name: "Reset your password" }).click();
    await mail.waitForURL("**/forgot-password");
  });

  it("ends a session that wasn't the owner's, by the link of the new-device email", async () => {
    const { baseUrl, outbox } = server();
    const email = freshEmail();
    const mac = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(mac.page, baseUrl, email, PASSWORD);
    const thief = (await browser.device({ userAgent: UA.firefoxLinux })).page;
    await logInInBrowser(thief, baseUrl, email, PASSWORD);
    await thief.getByText("Current session").waitFor();
    await mac.page.goto(`${baseUrl}/not-me#token=${await outbox.tokenFor(email, "/not-me")}`);
    await mac.page.getByRole("button", { name: "This wasn't me" }).click();
    await mac.page.getByText("That device is logged out.").waitFor();
    await thief.waitForURL("**/login");
    await thief.getByText("This session was reported as not yours").waitFor();
  });

  it("is no dead end if the link is used up or missing", async () => {
    const { page } = await browser.device();
    const { baseUrl } = server();
    for (const [task, button] of [
      ["/not-me#token=x", "This wasn't me"],
      ["/keep-email#token=x", "Keep my address"],
      ["/not-me", null],
    ] as const) {
      await page.goto("about:blank");
      await page.goto(baseUrl + task);
      if (button !== null) await page.getByRole("button", { name: button }).click();
      await page.getByText("reset your password now: that logs out every device.").waitFor();
      if (button !== null) await expect.poll(() => focused(page)).toBe("This link no longer works");
      await page.getByRole("link", { name: "Reset your password" }).click();
      await page.waitForURL("**/forgot-password");
    }
    await page.goto(`${baseUrl}/reset-password#token=x`);
    await page.getByLabel("New password").fill(OTHER_PASSWORD);
    await page.getByRole("button", { name: "Set the password" }).click();
    await page.getByText("This link has expired or was already used.").waitFor();
    // The answer to a first attempt may have been lost on the way.
    await page.getByText("If you have just set a password with it, log in with that one.").waitFor();
    await page.getByRole("link", { name: "Send a new link" }).click();
    await page.waitForURL("**/forgot-password");
  });
});
