import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { browserFor, signUpInBrowser } from "../support/browser.ts";
import { freshEmail, PASSWORD } from "../support/people.ts";
import { serverOn } from "../support/sqlite-server.ts";
import { UA } from "../support/user-agents.ts";

describe("passkeys in the browser", () => {
  const server = serverOn();
  const browser = browserFor();

  /** The browser's own virtual authenticator, with a fingerprint that is always right. */
  async function withAuthenticator(page: Page): Promise<void> {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  }

  async function logOut(page: Page): Promise<void> {
    await page.getByRole("button", { name: /account menu/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.waitForURL("**/login");
  }

  it("are added, used to log in, renamed and disconnected; the last login method stays (S15)", async () => {
    const { baseUrl, outbox } = server();
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withAuthenticator(page);
    // Otherwise the virtual authenticator answers the offer in the email field before the button is pressed.
    await page.addInitScript("PublicKeyCredential.isConditionalMediationAvailable = async () => false");
    await signUpInBrowser(page, baseUrl, email, PASSWORD);
    const card = page.getByRole("region", { name: "Login methods" });
    expect(await card.getByRole("button", { name: "Disconnect Password" }).isDisabled()).toBe(true);
    await card.getByRole("button", { name: "Add a passkey" }).click();
    await card.getByText("The passkey was added.").waitFor();
    await card.getByRole("button", { name: "Rename Chrome on Mac OS" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("My laptop");
    await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
    await card.getByText("My laptop").waitFor();
    await outbox.withSubject(email, "New login method");

    await logOut(page);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.getByText("Current session").waitFor();

    // The password's address isn't confirmed, so it opens nothing by itself: the passkey is the last that works.
    await card.getByRole("button", { name: "Disconnect My laptop" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("This is the only way to log in that works.").waitFor();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel" }).click();
    await card.getByRole("button", { name: "Disconnect Password" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Disconnect" }).click();
    await card.getByText("Password was disconnected.").waitFor();
    await expect
      .poll(() => card.getByRole("button", { name: "Disconnect My laptop" }).isDisabled())
      .toBe(true);
  });

  it("are offered in the email field", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withAuthenticator(page);
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey was added.").waitFor();
    await page.getByRole("button", { name: /account menu/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.getByText("was logged out: logged out there").waitFor();
  });

  it("are enough to create an account", async () => {
    const { baseUrl } = server();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await withAuthenticator(page);
    await page.goto(`${baseUrl}/sign-up`);
    await page.getByLabel("Email").fill(freshEmail());
    await page.getByRole("button", { name: "Create account with a passkey" }).click();
    await page.getByText("Current session").waitFor();
    await page.getByRole("button", { name: "Add a password" }).waitFor();
  });
});
