import type { BrowserContextOptions, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { browserFor, focused, violationsIn } from "../support/browsers/browser.ts";
import { codeAt, STEP, wrongCodeAt } from "../support/login-methods/totp.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD, signInWithCode, signUp, turnOnTwoFactor } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

describe("A proof with two factors, in the browser", () => {
  const server = serverOn({ rateLimits: "off" });
  const browser = browserFor();

  /** The security page of someone with 2FA, a while after the last proof. */
  async function atThePage(options: BrowserContextOptions = {}) {
    const { clock } = server();
    clock.toMiddleOf(STEP);
    const person = await signUp(server());
    const { secret, recoveryCodes } = await turnOnTwoFactor(server(), person);
    clock.advance(11 * MINUTE);
    return { page: await pageOf(person.client, options), person, secret, recoveryCodes };
  }

  async function pageOf({ jar }: Client, options: BrowserContextOptions = {}): Promise<Page> {
    const { baseUrl } = server();
    const { context, page } = await browser.device(options);
    const cookies = ["latchkey", "latchkey-device"];
    await context.addCookies(cookies.map((name) => ({ name, value: jar.get(name) ?? "", url: baseUrl })));
    await page.goto(`${baseUrl}/settings/security`);
    await page.getByText("Current session").waitFor();
    return page;
  }

  const dialogIn = (page: Page) => page.getByRole("dialog", { name: "Confirm it's you" });

  it("asks for the code after the password that was entered in the email form, and goes on", async () => {
    const { page, secret } = await atThePage();
    const { clock } = server();
    const email = freshEmail("new");
    const card = page.getByRole("region", { name: "Email" });
    await card.getByRole("button", { name: "Change email" }).click();
    await card.getByLabel("New email").fill(email);
    await card.getByLabel("Current password").fill(PASSWORD);
    await card.getByRole("button", { name: "Send the link" }).click();
    const dialog = dialogIn(page);
    await dialog.getByLabel("Authentication code").waitFor();
    expect(await dialog.getByLabel("Current password").count()).toBe(0);
    await expect.poll(() => focused(page)).toBe("Authentication code");
    expect(await violationsIn(page)).toEqual([]);
    await dialog.getByLabel("Authentication code").fill(wrongCodeAt(secret, clock.now()));
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.getByText("That code is not right").waitFor();
    await dialog.getByLabel("Authentication code").fill(codeAt(secret, clock.now()));
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await card.getByText(`We sent a link to ${email}`).waitFor();
  });

  it("asks for the password and a recovery code if neither was given, and asks again if that took too long", async () => {
    const { page, person, secret, recoveryCodes } = await atThePage();
    const other = await pageOf((await signInWithCode(server(), person, secret, UA.firefoxWindows)).client);
    const methods = page.getByRole("region", { name: "Login methods" });
    await methods.getByRole("button", { name: "Add a passkey" }).click();
    const dialog = dialogIn(page);
    await dialog.getByLabel("Current password").fill(PASSWORD);
    await dialog.getByRole("button", { name: "Use a recovery code" }).click();
    await dialog.getByLabel("Recovery code").fill(recoveryCodes[0] ?? "");
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.waitFor({ state: "detached" });

    server().clock.advance(11 * MINUTE);
    const account = page.getByRole("region", { name: "Delete account" });
    await account.getByRole("button", { name: "Delete account…" }).click();
    const ask = page.getByRole("alertdialog");
    await ask.getByLabel("Current password").fill(PASSWORD);
    await ask.getByRole("button", { name: "Delete account" }).click();
    await dialog.getByLabel("Authentication code").waitFor();
    server().clock.advance(11 * MINUTE);
    await dialog.getByRole("button", { name: "Use a recovery code" }).click();
    await dialog.getByLabel("Recovery code").fill(recoveryCodes[1] ?? "");
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.getByLabel("Current password").fill(PASSWORD);
    await dialog.getByRole("button", { name: "Use a recovery code" }).click();
    await dialog.getByLabel("Recovery code").fill(recoveryCodes[1] ?? "");
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await page.getByText("Your account was deleted.").waitFor();
    await other.getByText("Your account was deleted from").waitFor();
  });
});
