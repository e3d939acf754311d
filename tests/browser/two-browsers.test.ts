import { describe, expect, it } from "vitest";
import { browserFor, logInInBrowser, signUpInBrowser } from "../support/browsers/browser.ts";
import { freshEmail, OTHER_PASSWORD, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("two browsers of one person", () => {
  const server = serverOn();
  const browser = browserFor();

  async function atBoth(email = freshEmail()) {
    const { baseUrl } = server();
    const mac = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(mac.page, baseUrl, email, PASSWORD);
    const windows = await browser.device({ userAgent: UA.firefoxWindows });
    await logInInBrowser(windows.page, baseUrl, email, PASSWORD);
    await windows.page.getByText("Current session").waitFor();
    return { email, mac: mac.page, windows: windows.page };
  }

  it("shows both rows in Login management, its own as the current session (S1 to S4, S13)", async () => {
    const { mac } = await atBoth();
    const card = mac.getByRole("region", { name: "Login management" });
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
    const rows = card.getByRole("listitem");
    await expect.poll(() => rows.count()).toBe(2);
    expect(await rows.nth(0).textContent()).toMatch(
      /Chrome on Mac OS[\s\S]*Signed in[\s\S]*Just now[\s\S]*Current session/,
    );
    expect(await rows.nth(1).textContent()).toMatch(/Firefox on Windows[\s\S]*Log out/);
    const time = rows.nth(1).locator("time");
    expect(Date.parse((await time.getAttribute("datetime")) ?? "")).toBeGreaterThan(0);
    expect(await time.getAttribute("title")).toMatch(/\d{4}/);
  });

  it("ends one from the other, whose page leaves by itself and says why (S5)", async () => {
    const { mac, windows } = await atBoth();
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).click();
    const began = Date.now();
    await windows.waitForURL("**/login");
    console.log(`The other page had left ${Date.now() - began} ms after the click.`);
    await windows.getByText("You were logged out from Chrome on Mac OS").waitFor();
    await mac.getByText("Firefox on Windows was logged out.").waitFor();
    await expect
      .poll(() => mac.getByRole("button", { name: "Log out other devices" }).isDisabled())
      .toBe(true);
    await mac.getByText("Only this device is logged in.").waitFor();
  });

  it("labels every change that it requests as JSON, with a body or without", async () => {
    const { mac } = await atBoth();
    const types: Record<string, string | null> = {};
    mac.on("request", (request) => {
      if (request.method() !== "GET") types[request.method()] = request.headers()["content-type"] ?? null;
    });
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).click();
    await mac.getByText("Firefox on Windows was logged out.").waitFor();
    expect(types).toEqual({ DELETE: "application/json" });
  });

  it("shows nothing of the account to someone who presses Back after it", async () => {
    const { mac, windows } = await atBoth();
    await mac.getByRole("button", { name: "Log out Firefox on Windows" }).click();
    await windows.waitForURL("**/login");
    await windows.goBack();
    await windows.goForward();
    await windows.waitForURL("**/login");
    expect(await windows.getByText("Login management").count()).toBe(0);
  });

  it("ends all others after a confirmation that says how many there are (S6)", async () => {
    const { email, mac, windows } = await atBoth();
    const phone = await browser.device({ userAgent: UA.safariIphone });
    await logInInBrowser(phone.page, server().baseUrl, email, PASSWORD);
    await mac.getByRole("button", { name: "Log out Safari on iOS" }).waitFor();
    await mac.getByRole("button", { name: "Log out other devices" }).click();
    const dialog = mac.getByRole("alertdialog");
    await expect.poll(() => dialog.textContent()).toContain("2 other devices");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await mac.getByRole("button", { name: "Log out Safari on iOS" }).count()).toBe(1);
    await mac.getByRole("button", { name: "Log out other devices" }).click();
    await dialog.getByRole("button", { name: "Log out other devices" }).click();
    await Promise.all([windows.waitForURL("**/login"), phone.page.waitForURL("**/login")]);
    await mac.getByText("2 other devices were logged out.").waitFor();
  });

  it("logs the other one out when the password is changed, and stays here (S7)", async () => {
    const { email, mac, windows } = await atBoth();
    await mac.getByRole("button", { name: "Change password" }).click();
    const card = mac.getByRole("region", { name: "Password" });
    await card.getByLabel("Current password").fill(PASSWORD);
    await card.getByLabel("New password").fill(OTHER_PASSWORD);
    await card.getByRole("button", { name: "Change password" }).click();
    await windows.waitForURL("**/login");
    await windows.getByText("Your password was changed from Chrome on Mac OS").waitFor();
    await mac.getByText("Password changed. 1 other device was logged out.").waitFor();
    await mac.reload();
    await mac.getByText("Current session").waitFor();
    await logInInBrowser(windows, server().baseUrl, email, OTHER_PASSWORD);
    await windows.getByText("Current session").waitFor();
  });

  it("tells the device that was replaced what replaced it (S12)", async () => {
    const { email, mac } = await atBoth();
    const other = await browser.device({ userAgent: UA.chromeMac });
    await logInInBrowser(other.page, server().baseUrl, email, PASSWORD);
    await mac.waitForURL("**/login");
    await mac
      .getByText("Someone signed in to your account with Chrome on Mac OS, which replaced this session.")
      .waitFor();
    await mac.getByRole("link", { name: "Reset your password" }).click();
    await mac.waitForURL("**/forgot-password");
  });

  it("logs out from the menu in the header, which the keyboard opens", async () => {
    const { mac } = await atBoth();
    await mac.getByRole("button", { name: /account menu/ }).focus();
    await mac.keyboard.press("Enter");
    await mac.getByRole("menuitem", { name: "Log out" }).waitFor();
    // The menu takes the focus a moment after it appears.
    await expect
      .poll(() => mac.evaluate<string>("document.activeElement?.textContent ?? ''"))
      .toBe("Log out");
    await mac.keyboard.press("Enter");
    await mac.waitForURL("**/login");
  });
});
