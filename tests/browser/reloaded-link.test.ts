import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { browserFor } from "../support/browsers/browser.ts";
import { OTHER_PASSWORD, resetToken, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

/** A phone that is short of memory reloads a tab when the person comes back from the password manager. */
describe("the page of an emailed link, reloaded", () => {
  const server = serverOn();
  const browser = browserFor();

  const heading = (page: Page, name: string) => page.getByRole("heading", { name, level: 1, exact: true });

  async function expectNoTrace(page: Page, token: string): Promise<void> {
    expect(page.url()).not.toContain(token);
    const kept = "JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])";
    expect(await page.evaluate<string>(kept)).not.toContain(token);
  }

  it.each([
    ["/reset-password", "Choose a new password"],
    ["/keep-email", "Keep your email address"],
    ["/not-me", "This wasn't you?"],
    ["/sign-up", "Choose a password"],
  ])("%s still has its token, and the address and the storage never do", async (path, title) => {
    const { page } = await browser.device({ userAgent: UA.safariIphone });
    await page.goto(`${server().baseUrl}${path}#token=of-the-link`);
    await heading(page, title).waitFor();
    await expectNoTrace(page, "of-the-link");
    await page.reload();
    await heading(page, title).waitFor();
    await expectNoTrace(page, "of-the-link");
  });

  it("sets the password, and afterwards the way back leads to no form", async () => {
    const { email } = await signUp(server());
    const token = await resetToken(server(), email);
    const { page } = await browser.device({ userAgent: UA.safariIphone });
    await page.goto(`${server().baseUrl}/forgot-password`);
    await page.goto(`${server().baseUrl}/reset-password#token=${token}`);
    await heading(page, "Choose a new password").waitFor();
    await page.reload();
    await page.getByLabel("New password").fill(OTHER_PASSWORD);
    await page.getByLabel("New password").press("Enter");
    await page.getByText("Log in with the new password.").waitFor();
    await page.goBack();
    await heading(page, "Reset your password").waitFor();
  });

  it("keeps nothing of a link that was refused", async () => {
    const { page } = await browser.device({ userAgent: UA.safariIphone });
    await page.goto(`${server().baseUrl}/not-me#token=of-no-link`);
    await page.getByRole("button", { name: "This wasn't me" }).click();
    await heading(page, "This link no longer works").waitFor();
    expect(await page.evaluate("history.state")).toBeNull();
    await page.reload();
    await heading(page, "The link is missing").waitFor();
  });

  it("is another page if the person asks for a new link", async () => {
    const { page } = await browser.device({ userAgent: UA.safariIphone });
    await page.goto(`${server().baseUrl}/sign-up#token=of-the-link`);
    await page.getByRole("link", { name: "Ask for a new link" }).click();
    await heading(page, "Create account").waitFor();
    expect(await page.evaluate("history.state")).toBeNull();
  });

  it("takes a newer link that is pasted into the same tab", async () => {
    const { email } = await signUp(server());
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await page.goto(`${server().baseUrl}/reset-password`);
    await heading(page, "The link is missing").waitFor();
    const token = await resetToken(server(), email);
    await page.goto(`${server().baseUrl}/reset-password#token=${token}`);
    await page.getByLabel("New password").fill(OTHER_PASSWORD);
    await expectNoTrace(page, token);
    await page.getByLabel("New password").press("Enter");
    await page.getByText("Log in with the new password.").waitFor();
  });
});
