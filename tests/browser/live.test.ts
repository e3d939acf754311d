import { describe, expect, it } from "vitest";
import { browserFor, logInInBrowser, signUpInBrowser } from "../support/browser.ts";
import { freshEmail, PASSWORD } from "../support/people.ts";
import { serverOn } from "../support/sqlite-server.ts";
import { UA } from "../support/user-agents.ts";

describe("pages that stay open", () => {
  const server = serverOn();
  const short = serverOn({ sessionLifetime: "3s" });
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
    expect(latchkey.parts.live.size).toBe(1);

    const windows = (await browser.device({ userAgent: UA.firefoxWindows })).page;
    await logInInBrowser(windows, baseUrl, email, PASSWORD);
    for (const tab of tabs) await tab.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();

    // The tab that holds the stream closes; another one takes over.
    await page.close();
    await expect.poll(() => latchkey.parts.live.size, { timeout: 5_000 }).toBe(2);
    await windows.getByRole("button", { name: "Log out Chrome on Mac OS" }).click();
    await Promise.all(tabs.slice(1).map((tab) => tab.waitForURL("**/login")));
    for (const tab of tabs.slice(1))
      await tab.getByText("You were logged out from Firefox on Windows").waitFor();
  });

  it("leave by themselves when the session reaches its end (S9)", async () => {
    const { baseUrl } = short();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await page.waitForURL("**/login", { timeout: 6_000 });
    await page.getByText("Your session reached its time limit.").waitFor();
  });

  it("keep what they show while the server is away, and say so", async () => {
    const { baseUrl } = server();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await context.setOffline(true);
    await page.getByRole("button", { name: "Change password" }).click();
    const card = page.getByRole("region", { name: "Password" });
    await card.getByLabel("Current password").fill(PASSWORD);
    await card.getByLabel("New password").fill("a password that is new to it");
    await card.getByRole("button", { name: "Change password" }).click();
    await card.getByText("No connection. Nothing was lost; try again.").waitFor();
    expect(await card.getByLabel("New password").inputValue()).toBe("a password that is new to it");
    expect(await page.getByText("Current session").count()).toBe(1);
    await context.setOffline(false);
    await card.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Password changed.").waitFor();
  });
});
