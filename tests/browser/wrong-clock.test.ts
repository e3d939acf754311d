import { describe, expect, it } from "vitest";
import { browserFor, signUpInBrowser } from "../support/browsers/browser.ts";
import { HOUR } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD, signIn } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("on a device whose clock is wrong", () => {
  const server = serverOn();
  const browser = browserFor();

  it.each([3, -5])("by %i hours, times are shown as long ago as they really are", async (hours) => {
    const { baseUrl, clock } = server();
    const email = freshEmail();
    const { page, context } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    clock.advance(-2.5 * HOUR);
    await signIn(server(), { email, password: PASSWORD }, UA.safariIphone);
    clock.setTo(Date.now());
    const { client } = await signIn(server(), { email, password: PASSWORD }, UA.firefoxWindows);

    await page.clock.setFixedTime(Date.now() + hours * HOUR);
    await page.reload();
    const devices = page.getByRole("region", { name: "Login management" });
    const row = (name: string) => devices.getByRole("listitem").filter({ hasText: name }).locator("time");
    await row("Chrome on Mac OS").waitFor();
    expect(await row("Chrome on Mac OS").textContent()).toBe("Just now");
    expect(await row("Safari on iOS").textContent()).toBe("2 hours ago");
    const activity = page.getByRole("region", { name: "Recent activity" });
    await activity.getByText("Signed in from Safari on iOS").waitFor();
    expect(await activity.locator("time").allTextContents()).toEqual(
      expect.arrayContaining(["2 hours ago", "Just now"]),
    );
    await context.setOffline(true);
    await page.getByText("You are offline. This is how it was just now.").waitFor();
    await context.setOffline(false);

    await client.delete("/api/sessions");
    await page.getByText("You were logged out from Firefox on Windows, just now.").waitFor();
  });
});
