import { afterEach, describe, expect, it } from "vitest";
import { type OneBrowser, OTHER_ENGINES } from "../support/browsers/other-engines.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { expectSignedOut } from "../support/requests/expectations.ts";
import { freshEmail, OTHER_PASSWORD, PASSWORD, signIn, WRONG_PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

/** How long a page may take, in ms, on a busy machine. */
const TIMEOUT = 60_000;

describe.each(OTHER_ENGINES)("the pages in $name", ({ name, label, open }) => {
  const inEngine = it.skipIf(!open);
  const server = serverOn();
  const opened: OneBrowser[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((browser) => browser.close())));

  /** Someone who signs up in this browser. */
  async function signedUp() {
    if (!open) throw new Error("There is no such browser here.");
    const browser = await open();
    opened.push(browser);
    const person = { email: freshEmail(), password: PASSWORD };
    await browser.goto(`${server().baseUrl}/sign-up`);
    await browser.fill("Email", person.email);
    await browser.fill("Password", person.password);
    await browser.press("Create account");
    await says(browser, "Current session");
    return { browser, person };
  }

  async function says(browser: OneBrowser, words: string) {
    await expect.poll(() => browser.text(), { timeout: TIMEOUT }).toContain(words);
  }

  async function isAt(browser: OneBrowser, path: string) {
    const pathname = async () => new URL(await browser.url()).pathname;
    await expect.poll(pathname, { timeout: TIMEOUT }).toBe(path);
  }

  inEngine("show a device that logs in without a reload, and end it (S1 to S5)", async () => {
    const { browser, person } = await signedUp();
    expect(await browser.text()).toContain(label);
    const { client } = await signIn(server(), person, UA.chromeWindows);
    await says(browser, "2 devices are logged in.");
    await browser.press("Log out Chrome on Windows");
    await says(browser, "Chrome on Windows was logged out.");
    await expectSignedOut(client, "signed_out_remotely");
  });

  inEngine(
    "leave when they are ended elsewhere, say why, and show nothing after Back is pressed",
    async () => {
      const { browser, person } = await signedUp();
      const { client } = await signIn(server(), person, UA.chromeWindows);
      await browser.goto(`${server().baseUrl}/settings/security?again`);
      await says(browser, "2 devices are logged in.");
      await client.delete("/api/sessions");
      await isAt(browser, "/login");
      await says(browser, "You were logged out from Chrome on Windows");
      await browser.back();
      await isAt(browser, "/login");
      expect(await browser.text()).not.toContain("Login management");
    },
  );

  inEngine(
    "keep the focus where it belongs: in a dialog, after it, and on a field with an error",
    async () => {
      const { browser, person } = await signedUp();
      await signIn(server(), person, UA.chromeWindows);
      await says(browser, "2 devices are logged in.");
      await browser.press("Log out other devices");
      await expect.poll(() => browser.focused()).toBe("Cancel");
      await browser.key("Escape");
      await expect.poll(() => browser.focused()).toBe("Log out other devices");
      await browser.press("Change password");
      await browser.fill("New password", OTHER_PASSWORD);
      await browser.fill("Current password", WRONG_PASSWORD);
      await browser.key("Enter");
      await says(browser, "That is not your current password.");
      expect(await browser.focused()).toBe("Current password");
    },
  );

  // What browsers that support passkeys say is in passkeys.test.ts.
  if (name === "WebKit")
    inEngine("don't mention passkeys if there can be none", async () => {
      const { browser } = await signedUp();
      await says(browser, "This is the only way to log in.");
      const words = await browser.text();
      expect(words).not.toContain("Add another one to disconnect it.");
      expect(words).not.toContain("Add a passkey");
    });

  inEngine(
    "reset a password by the emailed link, whose token leaves the address and survives a reload",
    async () => {
      const { browser, person } = await signedUp();
      await browser.goto(`${server().baseUrl}/forgot-password`);
      await browser.fill("Email", person.email);
      await browser.key("Enter");
      await says(browser, "Check your email");
      const token = await server().outbox.tokenFor(person.email, "/reset-password");
      await browser.goto(`${server().baseUrl}/reset-password#token=${token}`);
      await says(browser, "Choose a new password");
      expect(await browser.url()).not.toContain(token);
      await browser.reload();
      await browser.fill("New password", OTHER_PASSWORD);
      await browser.key("Enter");
      await says(browser, "Password changed. Every device was logged out.");
    },
  );

  inEngine("turn on two-factor authentication, and ask for its code (S10)", async () => {
    const { browser, person } = await signedUp();
    await browser.press("Turn on");
    await browser.fill("Current password", person.password);
    await browser.press("Continue");
    await says(browser, "Copy the key");
    const secret = /[A-Z2-7]{4}(?: [A-Z2-7]{4}){7}/.exec(await browser.text())?.[0].replaceAll(" ", "");
    const code = (steps: number) => codeAt(secret ?? "", server().clock.now(), steps);
    await browser.fill("Authentication code", code(-1));
    await browser.key("Enter");
    await browser.press("I have saved them");
    await browser.press(`${person.email}, account menu`);
    await browser.press("Log out");
    await isAt(browser, "/login");
    await browser.fill("Email", person.email);
    await browser.fill("Password", person.password);
    await browser.press("Log in");
    await browser.fill("Authentication code", code(0));
    await browser.press("Verify");
    await says(browser, "Current session");
  });
});
