import { gzipSync } from "node:zlib";
import type { Page, Response } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  addAuthenticator,
  browserFor,
  logInInBrowser,
  signUpInBrowser,
  violationsIn,
  withoutOfferInField,
} from "../support/browsers/browser.ts";
import { freshEmail, PASSWORD, signUpConfirmed } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const TASKS = [
  "/login",
  "/sign-up",
  "/forgot-password",
  "/reset-password",
  "/confirm-email",
  "/keep-email",
  "/not-me",
];

describe.each(["light", "dark"] as const)("the pages in %s", (colorScheme) => {
  const server = serverOn();
  const browser = browserFor();

  it.each([320, 1280])(
    "have no accessibility violations and no sideways scrolling at %i px",
    async (width) => {
      const { baseUrl } = server();
      const { page } = await browser.device({
        userAgent: UA.chromeMac,
        colorScheme,
        reducedMotion: "reduce",
        viewport: { width, height: 800 },
      });
      for (const task of TASKS) {
        await page.goto(`${baseUrl}${task}#token=x`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await expectGood(page, task);
      }
      await page.goto(`${baseUrl}/login`);
      await logInInBrowser(page, baseUrl, "nobody@example.test", "wrong password");
      await page.getByText("Wrong email or password.").waitFor();
      await expectGood(page, "a wrong password");

      const email = `${"a-very-long-name-".repeat(2)}${freshEmail()}`;
      await signUpInBrowser(page, baseUrl, email, PASSWORD);
      await expectGood(page, "the security page");
      await page.getByText("Account created from").waitFor();
      // The dots between two facts are decoration.
      expect(await page.locator("body").ariaSnapshot()).not.toContain("·");
      const other = server().client(UA.firefoxWindows);
      expect((await other.post("/api/session", { email, password: PASSWORD })).status).toBe(201);
      await page.getByRole("button", { name: "Log out other devices" }).click();
      await page.getByRole("alertdialog").waitFor();
      await expectGood(page, "the dialog");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("alertdialog").waitFor({ state: "detached" });
      await page.getByRole("button", { name: /account menu/ }).click();
      await page.getByRole("menuitem", { name: "Log out" }).waitFor();
      await expectGood(page, "the menu");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Change password" }).click();
      await page
        .getByRole("region", { name: "Password" })
        .getByRole("button", { name: "Change password" })
        .click();
      await page.getByText("Enter your current password.").waitFor();
      await expectGood(page, "a form with an error");
    },
  );
});

describe("every page", () => {
  const server = serverOn();
  const mounted = serverOn({ basePath: "/auth" });
  const browser = browserFor();

  it("has a title of its own, and says that it needs JavaScript or cookies if they are turned off", async () => {
    const { page } = await browser.device();
    await page.goto(`${server().baseUrl}/login`);
    await expect.poll(() => page.title()).toBe("Log in · Latchkey");
    const plain = (await browser.device({ javaScriptEnabled: false })).page;
    await plain.goto(`${server().baseUrl}/login`);
    const card = plain.locator("noscript .lk-card");
    await card.waitFor();
    expect(await card.textContent()).toContain("This page needs JavaScript.");
    const off = (await browser.device()).page;
    await off.addInitScript(`
      Object.defineProperty(navigator, "cookieEnabled", { value: false });
      Object.defineProperty(window, "sessionStorage", { get() { throw new DOMException("Denied.", "SecurityError"); } });
    `);
    for (const task of ["/login", "/reset-password#token=x"]) {
      await off.goto(`${server().baseUrl}${task}`);
      await off.getByText("This page needs cookies.").waitFor();
      expect(await violationsIn(off)).toEqual([]);
    }
    expect(off.url()).toContain("#token=x");
    await page.goto(`${mounted().baseUrl}/no-such-page`);
    await page.getByText("There is no such page.").waitFor();
    expect(await page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius")).toBe("8px");
    await page.getByRole("link", { name: "Go to your account" }).click();
    await page.waitForURL("**/auth/login");
  });

  it("fetches under 60 kB of compressed JavaScript to log in, and none of the security page's", async () => {
    const { page } = await browser.device();
    const scripts = new Map<string, Response>();
    page.on("response", (response) => {
      // The first answer comes from the server; the browser answers again for what it has preloaded.
      if (response.url().endsWith(".js") && !scripts.has(response.url()))
        scripts.set(response.url(), response);
    });
    await page.goto(`${server().baseUrl}/login`);
    await page.getByLabel("Email").waitFor();
    const fetched = await Promise.all([...scripts.values()].map(sizeOf));
    expect(
      [...scripts.values()].filter((response) => !response.ok()).map((response) => response.url()),
    ).toEqual([]);
    expect([...scripts.keys()].filter((url) => url.includes("/login-"))).toHaveLength(1);
    expect([...scripts.keys()].filter((url) => url.includes("/security-"))).toEqual([]);
    expect(fetched.reduce((sum, size) => sum + size, 0)).toBeLessThan(60_000);
  });

  it("keeps a name without a break, and text twice as large, within its width", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac, viewport: { width: 320, height: 640 } });
    await addAuthenticator(page);
    await withoutOfferInField(page);
    const { email } = await signUpConfirmed(server());
    await logInInBrowser(page, server().baseUrl, email, PASSWORD);
    await page.getByRole("button", { name: "Change password" }).waitFor();
    await page.evaluate("document.documentElement.style.fontSize = '200%'");
    expect(await tooWide(page), "twice as large").toEqual([]);
    await page.evaluate("document.documentElement.style.fontSize = ''");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey was added.").waitFor();
    await page.getByRole("button", { name: "Rename Chrome on Mac OS" }).click();
    const name = "W".repeat(64);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Name", { exact: true }).press("Enter");
    await page.getByText(`Renamed to ${name}.`).waitFor();
    expect(await tooWide(page), "the name").toEqual([]);
    await page.getByRole("button", { name: `Disconnect ${name}` }).click();
    await page.getByRole("alertdialog").waitFor();
    expect(await tooWide(page), "the question").toEqual([]);
  });

  it("works if Latchkey is mounted below a path", async () => {
    const { baseUrl } = mounted();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await page.goto(`${baseUrl}/settings/security`);
    await page.waitForURL("**/auth/login?next=*");
    await page.getByRole("link", { name: "Create account" }).click();
    await page.getByLabel("Email").fill(freshEmail());
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create account", exact: true }).click();
    await page.waitForURL("**/auth/settings/security");
    await page.getByText("Current session").waitFor();
    expect(await page.evaluate(() => fetch("/settings/security").then((answer) => answer.status))).toBe(404);
  });

  it("goes on to `next` after a log-in, but never to a foreign site", async () => {
    const { baseUrl } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    await page.goto(`${baseUrl}/login?next=${encodeURIComponent("https://evil.example/")}`);
    await page.waitForURL("**/settings/security");
    const other = (await browser.device({ userAgent: UA.firefoxWindows })).page;
    await other.goto(`${baseUrl}/login?next=${encodeURIComponent("//evil.example/")}`);
    await other.getByLabel("Email").fill(email);
    await other.getByLabel("Password").fill(PASSWORD);
    await other.getByLabel("Password").press("Enter");
    await other.waitForURL("**/settings/security");
    await other.context().clearCookies();
    await other.goto("about:blank");
    await other.goto(`${baseUrl}/settings/security#recent-activity`);
    await other.getByLabel("Email").fill(email);
    await other.getByLabel("Password").fill(PASSWORD);
    await other.getByLabel("Password").press("Enter");
    await other.waitForURL("**/settings/security#recent-activity");
  });
});

async function expectGood(page: Page, what: string): Promise<void> {
  expect(await violationsIn(page), what).toEqual([]);
  const root = "document.documentElement";
  const overflow = await page.evaluate<number>(`${root}.scrollWidth - ${root}.clientWidth`);
  expect(overflow, `${what} scrolls sideways`).toBeLessThanOrEqual(0);
}

/** Elements that overflow, by their text. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(
    `[...document.querySelectorAll("h1, h2, p, dialog, main")].filter((at) => at.scrollWidth > at.clientWidth).map((at) => at.textContent)`,
  );
}

async function sizeOf(response: Response): Promise<number> {
  return gzipSync(await response.body()).length;
}
