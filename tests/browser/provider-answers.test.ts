import { describe, expect, it } from "vitest";
import { type RefusalCode, refusals } from "../../src/refusals.ts";
import { isForPage } from "../../src/sign-in/oidc.ts";
import { browserFor, signUpInBrowser } from "../support/browsers/browser.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const CODES = (Object.keys(refusals) as RefusalCode[]).filter(isForPage);

describe("a provider's answer, in the browser", () => {
  const server = serverOn();
  const browser = browserFor();

  it("is a sentence on the login page, whatever went wrong", async () => {
    const { page } = await browser.device();
    expect(CODES.length).toBeGreaterThan(8);
    for (const code of CODES) {
      await page.goto(`${server().baseUrl}/login?error=${code}`);
      const sentence = await page.locator(".why").textContent();
      expect(sentence, code).toMatch(/^[A-Z].{10,}\.$/);
    }
  });

  it("is a sentence on the security page too, and is then removed from the URL", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device();
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await page.goto(`${baseUrl}/settings/security?error=method_taken#login-methods`);
    const card = page.getByRole("region", { name: "Login methods" });
    await card
      .getByText("That account at the other site is already connected to another account here.")
      .waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe("");
    await page.goto(`${baseUrl}/settings/security?error=link_expired`);
    await page.getByText("That took too long. Choose the other site again.").waitFor();
    expect(await card.getByText("That took too long.").count()).toBe(0);
  });

  it("disappears from the login page with the next attempt, and from its URL at once", async () => {
    const { page } = await browser.device();
    await page.goto(`${server().baseUrl}/login?error=provider_cancelled&next=%2Fsettings%2Fsecurity`);
    await page.getByText("You cancelled at the other site.").waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe("?next=%2Fsettings%2Fsecurity");
    await page.getByLabel("Email").fill("nobody@example.test");
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByText("Wrong email or password.").waitFor();
    await page.locator(".why").waitFor({ state: "detached" });
  });

  it("never puts a stranger's words on the page", async () => {
    const { page } = await browser.device();
    for (const error of ["Call+0900+123", "constructor", "__proto__", "<b>bold</b>"]) {
      await page.goto(`${server().baseUrl}/login?error=${encodeURIComponent(error)}`);
      await page.getByRole("button", { name: "Log in", exact: true }).waitFor();
      expect(await page.locator(".why").count(), error).toBe(0);
    }
  });
});
