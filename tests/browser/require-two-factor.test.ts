import { describe, expect, it } from "vitest";
import {
  beginTwoFactor,
  browserFor,
  focused,
  logInInBrowser,
  signUpInBrowser,
} from "../support/browsers/browser.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("the security page of a site that requires two factors of everyone", () => {
  const server = serverOn({ requireTwoFactor: "on" });
  const browser = browserFor();

  it("says so, lets the person set up a second factor, and leads back to where they came from", async () => {
    const { baseUrl, clock } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    await page.goto(`${baseUrl}/settings/security?next=${encodeURIComponent(`${baseUrl}/forgot-password`)}`);
    await page.getByText("Turn it on below to continue.").waitFor();
    await page.getByRole("link", { name: "Turn it on below" }).click();
    const heading = page.getByRole("heading", { name: "Two-factor authentication" });
    await expect.poll(() => focused(page)).toBe("Two-factor authentication");
    const { height = 0 } = page.viewportSize() ?? {};
    await expect.poll(async () => (await heading.boundingBox())?.y).toBeLessThan(height);
    const linux = (await browser.device({ userAgent: UA.firefoxLinux })).page;
    await logInInBrowser(linux, baseUrl, email, PASSWORD);
    await linux.getByText("Current session").waitFor();

    const { card, secret } = await beginTwoFactor(page, PASSWORD);
    clock.toMiddleOf(STEP);
    await card.getByLabel("Authentication code").fill(codeAt(secret, clock.now(), -1));
    await card.getByRole("button", { name: "Turn on" }).click();
    await card.getByRole("button", { name: "I have saved them" }).click();
    await page.getByRole("status").getByRole("button", { name: "Continue" }).click();
    await page.waitForURL("**/forgot-password");

    await linux.reload();
    await linux.getByText("Log out, then log in with your code to continue.").waitFor();
    await page.goto(`${baseUrl}/settings/security`);
    await page.getByText("Current session").waitFor();
    expect(await page.getByText("This site asks for two-factor authentication.").count()).toBe(0);
  });
});
