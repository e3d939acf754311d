import type { Route } from "playwright-core";
import { describe, expect, it } from "vitest";
import { browserFor, focused, signUpInBrowser } from "../support/browsers/browser.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { freshEmail, OTHER_PASSWORD, PASSWORD, signIn, WRONG_PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("the focus on the security page", () => {
  const server = serverOn();
  const browser = browserFor();

  async function withDevices(...agents: string[]) {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server().baseUrl, email, PASSWORD);
    for (const agent of agents)
      expect((await server().client(agent).post("/api/session", { email, password: PASSWORD })).status).toBe(
        201,
      );
    return { page, email };
  }

  it("stays in the list as rows leave it, and starts at Cancel in a confirmation", async () => {
    const { page } = await withDevices(UA.firefoxWindows, UA.safariIphone, UA.edgeWindows);
    const row = (label: string) => page.getByRole("button", { name: `Log out ${label}` });
    await page.getByText("4 devices are logged in.").waitFor();
    // The last used comes first: Edge, Safari, Firefox.
    await row("Safari on iOS").press("Enter");
    await page.getByText("Safari on iOS was logged out.").waitFor();
    await expect.poll(() => focused(page)).toBe("Log out Firefox on Windows");
    await row("Firefox on Windows").press("Enter");
    await page.getByText("Firefox on Windows was logged out.").waitFor();
    await expect.poll(() => focused(page)).toBe("Log out Edge on Windows");
    await page.getByText("2 devices are logged in.").waitFor();

    await page.getByRole("button", { name: "Log out other devices" }).press("Enter");
    const question = page.getByRole("alertdialog");
    await question.waitFor();
    await expect.poll(() => focused(page)).toBe("Cancel");
    const words = await question.getAttribute("aria-describedby");
    expect(await page.locator(`[id="${words}"]`).textContent()).toBe(
      "This logs out 1 other device. You stay logged in here.",
    );
    await question.getByRole("button", { name: "Log out other devices" }).press("Enter");
    await page.getByText("1 other device was logged out.").waitFor();
    await page.getByText("Only this device is logged in.").waitFor();
    await expect.poll(() => focused(page)).toBe("Login management");
  });

  it("removes a session that has ended, even if the list can't be read again", async () => {
    const { page } = await withDevices(UA.firefoxWindows);
    const row = page.getByRole("button", { name: "Log out Firefox on Windows" });
    await row.waitFor();
    await page.context().route("**/api/sessions", (route) => route.abort());
    await row.click();
    await page.getByText("Firefox on Windows was logged out.").waitFor();
    await page.getByText("Only this device is logged in.").waitFor();
    await row.waitFor({ state: "detached" });
  });

  it("leaves the account menu with Tab, which closes it", async () => {
    const { page } = await withDevices(UA.firefoxWindows);
    await page.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
    await page.getByRole("button", { name: /account menu/ }).press("Enter");
    const item = page.getByRole("menuitem", { name: "Log out" });
    await expect.poll(() => focused(page)).toBe("Log out");
    await item.press("Tab");
    await item.waitFor({ state: "hidden" });
    await expect.poll(() => focused(page)).toBe("Log out Firefox on Windows");
  });

  it("moves into a form and back to what opened it; a message disappears with the next action", async () => {
    const { page } = await withDevices();
    const opener = page.getByRole("button", { name: "Change password" });
    await opener.press("Enter");
    await expect.poll(() => focused(page)).toBe("Current password");
    await page.getByRole("button", { name: "Cancel" }).press("Enter");
    await expect.poll(() => focused(page)).toBe("Change password");
    await opener.press("Enter");
    await page.getByLabel("Current password").fill("not the password");
    await page.getByLabel("New password").fill(OTHER_PASSWORD);
    await page.getByLabel("New password").press("Enter");
    await page.getByText("That is not your current password.").waitFor();
    await expect.poll(() => focused(page)).toBe("Current password");
    await page.getByRole("button", { name: "Cancel" }).press("Enter");
    await opener.press("Enter");
    await expect.poll(() => focused(page)).toBe("Current password");
    expect(await page.getByText("That is not your current password.").count()).toBe(0);
    await page.getByLabel("New password").fill(OTHER_PASSWORD);
    await page.getByLabel("Current password").focus();
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("Password changed.").waitFor();
    await expect.poll(() => focused(page)).toBe("Change password");
    await opener.press("Enter");
    await page.getByLabel("Current password").waitFor();
    await page.getByText("Password changed.", { exact: true }).waitFor({ state: "detached" });
  });

  it("follows the steps of turning two-factor authentication on, to the offer at its end", async () => {
    const { page } = await withDevices(UA.firefoxWindows);
    const { clock } = server();
    const card = page.getByRole("region", { name: "Two-factor authentication" });
    await card.getByRole("button", { name: "Turn on" }).press("Enter");
    await expect.poll(() => focused(page)).toBe("Current password");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await expect
      .poll(() => focused(page))
      .toBe("Scan this with your authenticator app, or type the key into it.");
    const secret = ((await card.locator("code").textContent()) ?? "").replace(/\s/g, "");
    expect(await card.locator("a[href^='otpauth:']").isVisible()).toBe(false);
    clock.toMiddleOf(STEP);
    await card.getByLabel("Authentication code").fill(codeAt(secret, clock.now()));
    await page.keyboard.press("Enter");
    await expect.poll(() => focused(page)).toMatch(/^Keep these recovery codes/);
    await page.emulateMedia({ media: "print" });
    await page.getByText("Security settings").waitFor({ state: "hidden" });
    await page.getByText("Each works once. Cross it out.").waitFor();
    await card.locator("ol code").first().waitFor();
    await page.emulateMedia({ media: null });
    await card.getByRole("button", { name: "I have saved them" }).press("Enter");
    await card.getByText("1 other device logged in before this and stays logged in.").waitFor();
    await expect.poll(() => focused(page)).toBe("New recovery codes");
    await card.getByRole("button", { name: "Log out other devices" }).press("Enter");
    await page.getByRole("alertdialog").getByRole("button", { name: "Log out other devices" }).click();
    await card.getByText("1 other device was logged out.").waitFor();
    await card.getByText("logged in before this").waitFor({ state: "detached" });

    await card.getByRole("button", { name: "Turn off" }).press("Enter");
    await card.getByRole("button", { name: "Use a recovery code" }).click();
    await card.getByLabel("Current password").fill(PASSWORD);
    // Some browsers send what they spell-check to their vendor.
    expect(await card.getByLabel("Recovery code").getAttribute("spellcheck")).toBe("false");
    await card.getByLabel("Recovery code").fill("wrong");
    await page.keyboard.press("Enter");
    await card.getByText("That recovery code is not right, or was already used. Try another one.").waitFor();
    await card.getByRole("button", { name: "Use a code from the app" }).click();
    await card.getByText("is not right").waitFor({ state: "detached" });
    await card.getByRole("button", { name: "Cancel" }).press("Enter");
    await expect.poll(() => focused(page)).toBe("Turn off");
  });

  const EVENTS = Array.from({ length: 60 }, (_, place) => ({
    id: `event-${place}`,
    kind: "signed_in",
    at: "2026-11-03T12:00:00.000Z",
    label: place === 50 ? "Firefox on Windows" : "Chrome on Mac OS",
    detail: {},
  }));
  const isMore = (route: Route) => new URL(route.request().url()).searchParams.has("before");
  const answer = (route: Route) =>
    route.fulfill({ json: { events: isMore(route) ? EVENTS.slice(50) : EVENTS.slice(0, 50) } });

  it("stays where it was as more of the activity is shown, even if that was all", async () => {
    const { page } = await withDevices();
    let isAway = true;
    await page.route("**/api/activity**", (route) =>
      isMore(route) && isAway ? route.abort() : answer(route),
    );
    await page.reload();
    const card = page.getByRole("region", { name: "Recent activity" });
    await card.getByRole("button", { name: "Show more" }).click();
    await card.getByText("No answer from the server.").waitFor();
    isAway = false;
    await card.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
    await expect.poll(() => focused(page)).toMatch(/^Signed in from Firefox on Windows/);
    await card.getByText("No answer from the server.").waitFor({ state: "detached" });
  });

  it("stays there, too, if the account changes while more of the activity is on its way", async () => {
    const { page, email } = await withDevices();
    let asked = 0;
    // The first answer never comes: the page no longer waits for it.
    await page.route("**/api/activity**", async (route) => {
      if (!isMore(route) || asked++ > 0) await answer(route);
    });
    await page.reload();
    const card = page.getByRole("region", { name: "Recent activity" });
    await card.getByRole("button", { name: "Show more" }).click();
    await expect.poll(() => asked).toBe(1);
    await signIn(server(), { email, password: PASSWORD }, UA.firefoxWindows);
    await card.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
    await expect.poll(() => focused(page)).toMatch(/^Signed in from Firefox on Windows/);
  });

  it("can show all of a long list with one press", async () => {
    const { page } = await withDevices(...Array.from({ length: 14 }, () => UA.script));
    const rows = page.getByRole("region", { name: "Login management" }).getByRole("listitem");
    await page.reload();
    await page.getByText("15 devices are logged in.").waitFor();
    await expect.poll(() => rows.count()).toBe(10);
    await page.getByRole("link", { name: "Log out the others" }).press("Enter");
    await expect.poll(() => focused(page)).toBe("Log out other devices");
    // The URL is that of the app around the card.
    expect(new URL(page.url()).hash).toBe("");
    await page.getByRole("button", { name: "Show all 15 devices" }).press("Enter");
    await expect.poll(() => rows.count()).toBe(15);
    await expect.poll(() => focused(page)).toBe("Log out Unknown device");
    await page.goto("about:blank");
    await page.goto(`${server().baseUrl}/settings/security#recent-activity`);
    await page.getByText("15 devices are logged in.").waitFor();
    const heading = page.getByRole("heading", { name: "Recent activity" });
    const height = page.viewportSize()?.height ?? 0;
    await expect.poll(async () => ((await heading.boundingBox())?.y ?? -1) >= 0).toBe(true);
    await expect.poll(async () => ((await heading.boundingBox())?.y ?? height) < height).toBe(true);
  });
});

/** Screen readers don't announce what is on a page that has just loaded, but describe what has the focus. */
describe("the focus on the login page", () => {
  const server = serverOn();
  const browser = browserFor();

  it("is in the email field, which is described by why someone is there", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    const person = { email: freshEmail(), password: PASSWORD };
    await signUpInBrowser(page, server().baseUrl, person.email, person.password);
    const { client } = await signIn(server(), person, UA.firefoxWindows);
    await client.delete("/api/sessions");
    await page.waitForURL("**/login**");
    await expect.poll(() => focused(page)).toBe("Email");
    const field = page.getByLabel("Email");
    const descriptions = async () => {
      const ids = (await field.getAttribute("aria-describedby"))?.split(" ") ?? [];
      return Promise.all(ids.map((id) => page.locator(`[id="${id}"]`).textContent()));
    };
    const why = expect.stringContaining("You were logged out from Firefox on Windows");
    expect(await descriptions()).toEqual([why]);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByText("Enter your email address.").waitFor();
    expect(await descriptions()).toEqual([why, "Enter your email address."]);
    await field.fill(person.email);
    await page.getByLabel("Password").fill(WRONG_PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("Wrong email or password.").waitFor();
    expect(await descriptions()).toEqual([]);
  });
});
