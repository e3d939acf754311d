import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  addAuthenticator,
  browserFor,
  logInInBrowser,
  signUpInBrowser,
  withoutOfferInField,
} from "../support/browsers/browser.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD, signUpConfirmed } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

type Bits = { isBogusSignature?: boolean; isBadUV?: boolean; isBadUP?: boolean };
type Authenticator = {
  bend(bits: Bits): Promise<unknown>;
  setVerified(isUserVerified: boolean): Promise<unknown>;
};

const REFUSED = "That passkey was not accepted. Try again, or use another way.";

describe("passkeys in the browser", () => {
  const server = serverOn();
  const browser = browserFor();

  async function withAuthenticator(page: Page): Promise<Authenticator> {
    const { devtools, authenticatorId } = await addAuthenticator(page);
    return {
      bend: (bits) => devtools.send("WebAuthn.setResponseOverrideBits", { authenticatorId, ...bits }),
      setVerified: (isUserVerified) =>
        devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    };
  }

  /** With the page's own session; another test covers how the card does it. */
  async function turnOnTwoFactor(page: Page): Promise<string> {
    const { clock } = server();
    const ask = (method: string, body: object): Promise<{ secret: string }> =>
      page.evaluate(
        async ([verb, text]) => {
          const headers = { "Content-Type": "application/json" };
          const answer = await fetch("/api/account/two-factor", { method: verb, body: text, headers });
          if (!answer.ok) throw new Error(`${verb} answered ${answer.status} ${await answer.text()}`);
          return (await answer.json()) as { secret: string };
        },
        [method, JSON.stringify(body)] as const,
      );
    const { secret } = await ask("POST", { currentPassword: PASSWORD });
    clock.toMiddleOf(STEP);
    await ask("PUT", { code: codeAt(secret, clock.now(), -1) });
    return secret;
  }

  async function addPasskey(page: Page): Promise<void> {
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey was added.").waitFor();
  }

  async function logOut(page: Page): Promise<void> {
    await page.getByRole("button", { name: /account menu/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.waitForURL("**/login");
  }

  it("names in right-to-left scripts are isolated within a sentence", async () => {
    const person = await signUpConfirmed(server());
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withoutOfferInField(page);
    await addAuthenticator(page);
    await logInInBrowser(page, server().baseUrl, person.email, PASSWORD);
    await addPasskey(page);
    const name = "הטלפון שלי!";
    await page.getByRole("button", { name: "Rename Chrome on Mac OS" }).click();
    const field = page.getByLabel("Name", { exact: true });
    await field.fill(name);
    expect(await page.evaluate("getComputedStyle(document.activeElement).direction")).toBe("rtl");
    await field.press("Enter");
    const alone = page.locator("bdi", { hasText: name });
    await page
      .getByText(`Renamed to ${name}.`)
      .and(page.locator("p", { has: alone }))
      .waitFor();
    await page.getByRole("button", { name: `Disconnect ${name}` }).click();
    const question = page.getByRole("alertdialog", { name: `Disconnect passkey “${name}”` });
    await question.locator("h2", { has: alone }).waitFor();
    await question.getByRole("button", { name: "Disconnect" }).click();
    await page
      .getByText(`The passkey “${name}” was disconnected.`)
      .and(page.locator("p", { has: alone }))
      .waitFor();
  });

  it("are added, used to log in, renamed and disconnected; the last login method stays (S15)", async () => {
    const { baseUrl, outbox } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withAuthenticator(page);
    await withoutOfferInField(page);
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const card = page.getByRole("region", { name: "Login methods" });
    await expect
      .poll(() => card.getByRole("button", { name: "Disconnect Password" }).isDisabled())
      .toBe(true);
    await card.getByRole("button", { name: "Add a passkey" }).click();
    await card.getByText("The passkey was added.").waitFor();
    await card.getByRole("button", { name: "Rename Chrome on Mac OS" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("My laptop");
    await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
    await card.getByText("Renamed to My laptop.").waitFor();
    await outbox.withSubject(email, "New login method");

    await logOut(page);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.getByText("Current session").waitFor();

    // The address isn't confirmed, so the password doesn't count as a login method: the passkey is the last
    // that works.
    const needed = card.getByRole("button", { name: "Disconnect My laptop" });
    await expect.poll(() => needed.isDisabled()).toBe(true);
    const why = await needed.getAttribute("aria-describedby");
    expect(await card.locator(`[id="${why}"]`).textContent()).toBe(
      "This can't be disconnected: no other way to log in works on its own. A password will, once your email address is confirmed.",
    );
    await card.getByRole("button", { name: "Disconnect Password" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Disconnect" }).click();
    await card.getByText("Password was disconnected.").waitFor();
    await card.getByText("This is the only way to log in. Add another one to disconnect it.").waitFor();
    await expect.poll(() => needed.isDisabled()).toBe(true);
  });

  it("are offered in the email field", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withAuthenticator(page);
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await addPasskey(page);
    await page.getByRole("button", { name: /account menu/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.getByText("Chrome on Mac OS logged out").waitFor();
  });

  for (const [what, bits] of Object.entries({
    "signature is bogus": { isBogusSignature: true },
    "answer says that nobody was present": { isBadUP: true },
  })) {
    it(`let nobody in if the ${what}, and the page says so and lets the person go on`, async () => {
      const { baseUrl } = server();
      const email = freshEmail();
      const { page } = await browser.device({ userAgent: UA.chromeMac });
      const authenticator = await withAuthenticator(page);
      await withoutOfferInField(page);
      await signUpInBrowser(page, baseUrl, email, PASSWORD);
      await addPasskey(page);
      await logOut(page);
      await authenticator.bend(bits);
      await page.getByRole("button", { name: "Log in with a passkey" }).click();
      await page.getByText(REFUSED).waitFor();
      expect(new URL(page.url()).pathname).toBe("/login");
      await authenticator.bend({});
      await page.getByRole("button", { name: "Log in with a passkey" }).click();
      await page.getByText("Current session").waitFor();
    });
  }

  it("that are chosen in the email field and refused are reported as well", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    const authenticator = await withAuthenticator(page);
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await addPasskey(page);
    await authenticator.bend({ isBogusSignature: true });
    await logOut(page);
    await page.getByText(REFUSED).waitFor();
  });

  it("of a device that didn't verify its owner need the second factor if it is on", async () => {
    const { baseUrl, clock } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    const authenticator = await withAuthenticator(page);
    await withoutOfferInField(page);
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    await addPasskey(page);
    await authenticator.bend({ isBadUV: true });
    await logOut(page);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.getByText("Current session").waitFor();
    const secret = await turnOnTwoFactor(page);
    await logOut(page);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.getByLabel("Authentication code").fill(codeAt(secret, clock.now()));
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("Current session").waitFor();
    await authenticator.bend({});
    await logOut(page);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.getByText("Current session").waitFor();
  });

  it("whose device refuses to verify its owner let nobody in, and the page says so and still works", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    const authenticator = await withAuthenticator(page);
    await withoutOfferInField(page);
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await addPasskey(page);
    await logOut(page);
    await authenticator.setVerified(false);
    const button = page.getByRole("button", { name: "Log in with a passkey" });
    await button.click();
    await page.getByText("No passkey was used. Try again, or use another way.").waitFor();
    await authenticator.setVerified(true);
    await button.click();
    await page.getByText("Current session").waitFor();
  });

  it("are added to a device only once, and the page says why not twice", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withAuthenticator(page);
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await addPasskey(page);
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("This device already has a passkey for this account.").waitFor();
  });

  it("are enough to create an account, and to prove later that it is still you", async () => {
    const { baseUrl, clock } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withAuthenticator(page);
    await page.goto(`${baseUrl}/sign-up`);
    await page.getByLabel("Email").fill(freshEmail());
    await page.getByRole("button", { name: "Sign up with a passkey" }).click();
    await page.getByText("Current session").waitFor();
    const card = page.getByRole("region", { name: "Password" });
    await card.getByRole("button", { name: "Add a password" }).click();
    await card.getByLabel("New password").fill(PASSWORD);
    clock.advance(11 * MINUTE);
    await card.getByRole("button", { name: "Add the password" }).click();
    await page
      .getByRole("dialog", { name: "Confirm it's you" })
      .getByRole("button", { name: "Use a passkey" })
      .click();
    await card.getByText("Password added.").waitFor();
  });

  it.each([true, false])("a proof offers one only where the browser knows passkeys: %s", async (knows) => {
    const { page } = await browser.device();
    await signUpInBrowser(page, server().baseUrl, freshEmail(), PASSWORD);
    if (!knows) await page.addInitScript("delete globalThis.PublicKeyCredential");
    const dialog = page.getByRole("dialog", { name: "Confirm it's you" });
    for (const methods of [["password", "passkey"], ["passkey"]]) {
      await page.route("**/api/account", (route) =>
        route.fulfill({
          status: 403,
          headers: { "Content-Type": "application/problem+json" },
          body: JSON.stringify({ status: 403, code: "proof_needed", methods }),
        }),
      );
      await page.reload();
      await page.getByRole("button", { name: "Delete account" }).click();
      await page.getByLabel("Current password").fill(PASSWORD);
      await page.getByRole("alertdialog").getByRole("button", { name: "Delete account" }).click();
      await dialog.getByRole("button", { name: "Cancel" }).waitFor();
      expect(await dialog.getByRole("button", { name: "Use a passkey" }).count()).toBe(knows ? 1 : 0);
      const isStuck = !knows && methods.length === 1;
      const words = "This browser can't use passkeys. Go on in one that can.";
      expect(await dialog.getByText(words).count()).toBe(isStuck ? 1 : 0);
    }
  });
});
