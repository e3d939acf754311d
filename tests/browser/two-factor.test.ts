import { describe, expect, it } from "vitest";
import { beginTwoFactor, browserFor, logInInBrowser, signUpInBrowser } from "../support/browsers/browser.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("two-factor authentication in the browser", () => {
  const server = serverOn();
  const browser = browserFor();

  it("is turned on with the QR code, asked for at the next log-in, and passed with a recovery code (S10)", async () => {
    const { baseUrl, clock } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const { card, secret } = await beginTwoFactor(page, PASSWORD);
    await card.getByLabel("Authentication code").fill("12");
    await card.getByRole("button", { name: "Turn on" }).click();
    await card.getByText("That code is not right").waitFor();
    clock.toMiddleOf(STEP);
    await card.getByLabel("Authentication code").fill(codeAt(secret, clock.now(), -1));
    await card.getByRole("button", { name: "Turn on" }).click();
    await card.getByText("Keep these recovery codes.").waitFor();
    const codes = await card.locator("ol code").allInnerTexts();
    expect(new Set(codes).size).toBe(10);
    await card.getByRole("button", { name: "I have saved them" }).click();
    await card.getByText("Two-factor authentication is on.").waitFor();
    await card.getByText("10 of 10 recovery codes are left.").waitFor();

    const phone = (await browser.device({ userAgent: UA.safariIphone })).page;
    await logInInBrowser(phone, baseUrl, email, PASSWORD);
    await phone.getByLabel("Authentication code").fill(codeAt(secret, clock.now()));
    await phone.getByRole("button", { name: "Verify" }).click();
    await phone.getByText("Current session").waitFor();

    const linux = (await browser.device({ userAgent: UA.firefoxLinux })).page;
    await logInInBrowser(linux, baseUrl, email, PASSWORD);
    await linux.getByRole("button", { name: "Use a recovery code" }).click();
    await linux.getByLabel("Recovery code").fill((codes[0] ?? "").toUpperCase().replaceAll("-", " "));
    await linux.getByRole("button", { name: "Verify" }).click();
    await linux.getByText("Current session").waitFor();
    await linux.getByText("Recovery code used from Firefox on Linux, 9 left").waitFor();
    await linux.getByText("9 of 10 recovery codes are left.").waitFor();
    await card.getByText("9 of 10 recovery codes are left.").waitFor();
  });

  it("goes on with the same key if the page is reloaded while the code is being scanned, until that is cancelled", async () => {
    const { baseUrl, clock } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.safariIphone });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const { card, secret } = await beginTwoFactor(page, PASSWORD);
    const key = async () => (await card.locator("code").textContent())?.replace(/\s/g, "");
    await page.reload();
    expect(await key()).toBe(secret);
    await card.getByRole("button", { name: "Cancel" }).click();
    await page.reload();
    await card.getByRole("button", { name: "Turn on" }).waitFor();
    const again = await beginTwoFactor(page, PASSWORD);
    expect(again.secret).not.toBe(secret);
    await page.reload();
    clock.toMiddleOf(STEP);
    await card.getByLabel("Authentication code").fill(codeAt(again.secret, clock.now()));
    await card.getByRole("button", { name: "Turn on" }).click();
    await card.getByText("Keep these recovery codes.").waitFor();
    expect(await page.evaluate("Object.keys(sessionStorage)")).not.toContain("latchkey:two-factor");
  });

  it("shows the key to nobody else who logs in in the same tab", async () => {
    const { baseUrl } = server();
    const other = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    const { card } = await beginTwoFactor(page, PASSWORD);
    await page.context().clearCookies();
    await signUpInBrowser(page, baseUrl, other, PASSWORD);
    await card.getByRole("button", { name: "Turn on" }).waitFor();
    await expect
      .poll(() => page.evaluate("Object.keys(sessionStorage)"))
      .not.toContain("latchkey:two-factor");
  });
});
