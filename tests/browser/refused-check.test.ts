import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { browserFor, setVisibility, signUpInBrowser } from "../support/browsers/browser.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const MINUTE = 60_000;

describe("the security page while the check of its session is refused", () => {
  const server = serverOn();
  const browser = browserFor();

  /** Someone has come back to the page, and was refused; its clock is the test's. */
  async function refusedOnReturn(headers: Record<string, string>) {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    // The live stream has reasons of its own to ask.
    await page.addInitScript("window.EventSource = class extends EventTarget { close() {} }");
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    await page.clock.install();
    await page.reload();
    await page.getByText("Current session").waitFor();
    await setVisibility(page, "hidden");
    let asked = 0;
    await page.route("**/api/session", (route) => {
      asked += 1;
      return route.fulfill({
        status: 429,
        headers: { "Content-Type": "application/problem+json", ...headers },
        body: JSON.stringify({ status: 429, code: "too_many_attempts" }),
      });
    });
    await setVisibility(page, "visible");
    await page.getByText("Your page comes back as soon as it can").waitFor();
    return { page, asked: () => asked };
  }

  /** This much later by the page's clock, with every request made that was due. */
  async function later(page: Page, time: number): Promise<void> {
    await page.clock.fastForward(time);
    for (let times = 0; times < 5; times++) await page.evaluate(() => fetch("/healthz"));
  }

  it("asks again when the server said to, no sooner", async () => {
    const { page, asked } = await refusedOnReturn({ "Retry-After": "600" });
    expect(asked()).toBe(1);
    await later(page, 5 * MINUTE);
    expect(asked()).toBe(1);
    await page.unroute("**/api/session");
    await later(page, 6 * MINUTE);
    await page.getByText("Current session").waitFor();
  });

  it("asks nothing while nobody looks at it, and at once when someone does", async () => {
    const { page, asked } = await refusedOnReturn({});
    await setVisibility(page, "hidden");
    const before = asked();
    for (let minutes = 0; minutes < 3; minutes++) await later(page, MINUTE);
    expect(asked()).toBe(before);
    await page.unroute("**/api/session");
    await setVisibility(page, "visible");
    await page.getByText("Current session").waitFor();
  });
});
