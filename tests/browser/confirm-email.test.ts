import { randomBytes } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  addAuthenticator,
  browserFor,
  focused,
  logInInBrowser,
  signUpInBrowser,
  violationsIn,
  withoutOfferInField,
} from "../support/browsers/browser.ts";
import { engineOf } from "../support/databases/engines.ts";
import { addPasskey } from "../support/login-methods/passkeys.ts";
import { TestProvider } from "../support/login-methods/provider.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import {
  expectStatus,
  freshEmail,
  isSignedIn,
  PASSWORD,
  type Person,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const CONFIRM = "Confirm this address";
const MINE = "This is my account";
const NOT_MINE = "I didn't create it";

describe("the page behind a confirmation link", () => {
  const browser = browserFor();
  let provider: TestProvider;
  let server: TestServer;
  beforeAll(async () => {
    const port = await freePort();
    const credentials = { clientId: "latchkey", clientSecret: "a-secret-of-the-test-of-32-letters" };
    server = await startServer({
      engine: engineOf("sqlite"),
      basePath: "/auth",
      rateLimits: "off",
      oidc: [{ id: "acme", name: "Acme", issuer: `http://localhost:${port}`, ...credentials }],
    });
    provider = await TestProvider.start(`${server.baseUrl}/api/oidc/acme/callback`, port);
  });
  afterAll(async () => {
    await server.close();
    await provider.stop();
  });

  const someone = () => ({ sub: randomBytes(8).toString("hex"), email: freshEmail(), email_verified: true });
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const heading = (page: Page, name: string) => page.getByRole("heading", { name, level: 1, exact: true });

  async function open(page: Page, email: string): Promise<string> {
    const token = await server.outbox.tokenFor(email, "/confirm-email");
    await page.goto(`${server.baseUrl}/confirm-email#token=${token}`);
    return token;
  }

  async function connectAcme({ client }: Person, who = someone()) {
    const begun = await client.post("/api/oidc/acme/start", { intent: "connect" });
    const back = new URL(await provider.signIn(JSON.parse(expectStatus(200, begun).text).url, who));
    expectStatus(302, await client.get(back.pathname.replace("/auth", "") + back.search));
    return who;
  }

  /** An account that a stranger made with someone's address, with everything set up. */
  async function madeByAStranger() {
    const stranger = await signUp(server, { email: freshEmail("owner") });
    await addPasskey(server, stranger.client);
    await connectAcme(stranger);
    await turnOnTwoFactor(server, stranger);
    return stranger;
  }

  async function askForChange({ client, password }: Person): Promise<string> {
    const email = freshEmail("new");
    expectStatus(202, await client.put("/api/account/email", { email, currentPassword: password }));
    return email;
  }

  /** Every request that the page makes, with the page's own address at the time. */
  function addressesOf(page: Page): string[] {
    const seen: string[] = [];
    page.on("request", (request) => seen.push(request.url(), request.headers().referer ?? ""));
    page.on("framenavigated", (frame) => seen.push(frame.url().split("#")[0] ?? ""));
    return seen;
  }

  /** What the tab still keeps of a link. */
  const kept = (page: Page) =>
    page.evaluate<string | null>(`sessionStorage.getItem("latchkey:confirmation")`);

  describe("of a new account, in a browser that it doesn't know", () => {
    it("says what it would confirm before anything is confirmed, and what each answer does", async () => {
      const stranger = await madeByAStranger();
      const { page } = await browser.device({ userAgent: UA.safariIphone });
      await open(page, stranger.email);
      await heading(page, "Is this your account?").waitFor();
      const card = page.locator(".lk-card");
      await card.getByText(stranger.email).waitFor();
      await card.getByText(/^Created \d+ \w+ at \d\d:\d\d with Chrome on Mac OS$/).waitFor();
      await expect
        .poll(() => card.getByRole("listitem").allInnerTexts())
        .toEqual(["Two-factor authentication is on", "Passkey “Key”", "Log in with Acme"]);
      await card
        .getByText("If you don't have that authenticator app, choose “I didn't create it”.")
        .waitFor();
      await card
        .getByText("Your next password reset removes the passkeys and other sites that were added")
        .waitFor();
      const { body } = await stranger.client.get("/api/session");
      expect(body.account?.emailVerified).toBe(false);
    });

    it('"This is my account" confirms the address and ends nothing', async () => {
      const owner = await madeByAStranger();
      const { page } = await browser.device({ userAgent: UA.safariIphone });
      await open(page, owner.email);
      await button(page, MINE).click();
      await heading(page, "Address confirmed").waitFor();
      await page.getByRole("status").getByText("Your address is confirmed.").waitFor();
      await expect.poll(() => focused(page)).toBe("Address confirmed");
      expect((await owner.client.get("/api/session")).body.account).toMatchObject({
        emailVerified: true,
        twoFactor: true,
      });
      expect(await kept(page)).toBeNull();
    });

    it('"I didn\'t create it" asks once more, then ends and removes everything and sends a link', async () => {
      const stranger = await madeByAStranger();
      const { page } = await browser.device({ userAgent: UA.safariIphone });
      await open(page, stranger.email);
      await button(page, NOT_MINE).click();
      const dialog = page.getByRole("alertdialog", { name: "You didn't create this account?" });
      await dialog.getByText("This logs out every device and removes every way to log in").waitFor();
      await expect.poll(() => focused(page)).toBe("Cancel");
      await page.keyboard.press("Enter");
      await dialog.waitFor({ state: "detached" });
      await expect.poll(() => focused(page)).toBe(NOT_MINE);
      expect(await isSignedIn(stranger.client)).toBe(true);
      await page.keyboard.press("Enter");
      await dialog.getByRole("button", { name: NOT_MINE }).click();
      await heading(page, "Nobody else can log in now").waitFor();
      const said = "Every device was logged out and everything set up there was removed.";
      await page.getByRole("status").getByText(said).waitFor();
      await expect.poll(() => focused(page)).toBe("Nobody else can log in now");
      expect(await isSignedIn(stranger.client)).toBe(false);
      await server.outbox.tokenFor(stranger.email, "/reset-password");
      expect(await kept(page)).toBeNull();
    });

    it("says that nothing else was set up if nothing was", async () => {
      const { email } = await signUp(server);
      const { page } = await browser.device({ userAgent: UA.safariIphone });
      await open(page, email);
      await page.getByText("Nothing else was set up").waitFor();
      await button(page, MINE).waitFor();
      expect(await page.getByText("authenticator app").count()).toBe(0);
      expect(await page.getByText("next password reset").count()).toBe(0);
    });
  });

  it("only asks the account's own browsers to confirm", async () => {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server.baseUrl, email, PASSWORD);
    await open(page, email);
    await heading(page, "Confirm your email address").waitFor();
    await page.locator(".lk-card").getByText(email).waitFor();
    await expect.poll(() => page.getByRole("button").allInnerTexts()).toEqual([CONFIRM]);
    await button(page, CONFIRM).click();
    await page.getByText("Your address is confirmed.").waitFor();
    await page.getByRole("link", { name: "Go to your account" }).click();
    await page.getByText("Confirmed", { exact: true }).waitFor();
  });

  describe("of a change of address", () => {
    const LOG_IN_FIRST = "Log in to confirm your new address";

    /** Someone who asked for a change, and a browser of theirs that isn't logged in and opens its link. */
    async function elsewhere(person?: Person) {
      const owner = person ?? (await signUp(server));
      await verifyEmail(server, owner);
      const newEmail = await askForChange(owner);
      const { page } = await browser.device({ userAgent: UA.firefoxWindows });
      const addresses = addressesOf(page);
      const token = await open(page, newEmail);
      await heading(page, LOG_IN_FIRST).waitFor();
      await page.getByText(/^Requested \d+ \w+ at \d\d:\d\d from Chrome on Mac OS$/).waitFor();
      expect(await button(page, CONFIRM).count()).toBe(0);
      await page.getByRole("link", { name: "Log in", exact: true }).click();
      await page.getByText("Log in to confirm your new address.").waitFor();
      return { owner, newEmail, page, addresses, token };
    }

    type Elsewhere = Awaited<ReturnType<typeof elsewhere>>;

    /** The page is back, with the same link, and no address that a server sees ever contained its token. */
    async function expectToGoOn({ owner, newEmail, page, addresses, token }: Elsewhere) {
      await heading(page, "Confirm your new email address").waitFor();
      await page.locator(".lk-card").getByText(owner.email).waitFor();
      await page.locator(".lk-card").getByText(newEmail).waitFor();
      await button(page, CONFIRM).click();
      await page.getByText("Your address is confirmed.").waitFor();
      expect((await owner.client.get("/api/session")).body.account?.email).toBe(newEmail);
      expect(addresses.filter((address) => address.includes(token))).toEqual([]);
      expect(await kept(page)).toBeNull();
    }

    async function typePassword(page: Page, { email, password }: Person) {
      await page.getByLabel("Email").fill(email);
      await page.getByLabel("Password").fill(password);
      await button(page, "Log in").click();
    }

    it("says whose address changes to what, who asked for it and when, and confirms it in a browser that is logged in", async () => {
      const owner = await signUp(server);
      await verifyEmail(server, owner);
      const newEmail = await askForChange(owner);
      const { page } = await browser.device({ userAgent: UA.firefoxWindows });
      await logInInBrowser(page, server.baseUrl, owner.email, PASSWORD);
      await page.getByText("Current session").waitFor();
      await open(page, newEmail);
      await heading(page, "Confirm your new email address").waitFor();
      const words = `The address of your account ${owner.email} changes to ${newEmail}.`;
      await expect.poll(() => page.locator(".lk-card").textContent()).toContain(words);
      await page.getByText(/^Requested \d+ \w+ at \d\d:\d\d from Chrome on Mac OS$/).waitFor();
      await button(page, CONFIRM).click();
      await page.getByText(`It is ${newEmail} now`).waitFor();
      await expect.poll(() => focused(page)).toBe("Address confirmed");
      expect((await owner.client.get("/api/session")).body.account?.email).toBe(newEmail);
    });

    it("asks to log in first if nobody is, and continues after a password", async () => {
      const there = await elsewhere();
      await typePassword(there.page, there.owner);
      await expectToGoOn(there);
    });

    it("continues after a second factor, even if the page was reloaded on the way", async () => {
      const person = await signUp(server);
      const { secret } = await turnOnTwoFactor(server, person);
      const there = await elsewhere(person);
      await there.page.reload();
      await there.page.getByText("Log in to confirm your new address.").waitFor();
      await typePassword(there.page, there.owner);
      server.clock.toMiddleOf(STEP);
      await there.page.getByLabel("Authentication code").fill(codeAt(secret, server.clock.now()));
      await button(there.page, "Verify").click();
      await expectToGoOn(there);
    });

    it("continues after a log-in at another site", async () => {
      const person = await signUp(server);
      const who = await connectAcme(person);
      const there = await elsewhere(person);
      await there.page.getByRole("link", { name: "Continue with Acme" }).click();
      await provider.signInWith(there.page, who);
      await expectToGoOn(there);
    });

    it("continues after a passkey", async () => {
      const { page } = await browser.device({ userAgent: UA.chromeMac });
      await addAuthenticator(page);
      await withoutOfferInField(page);
      const email = freshEmail();
      await signUpInBrowser(page, server.baseUrl, email, PASSWORD);
      await button(page, "Add a passkey").click();
      await page.getByText("The passkey was added.").waitFor();
      await button(page, "Change email").click();
      const newEmail = freshEmail("new");
      await page.getByLabel("New email").fill(newEmail);
      const card = page.getByRole("region", { name: "Email" });
      await card.getByLabel("Current password").fill(PASSWORD);
      await button(page, "Send the link").click();
      await page.getByText(`We sent a link to ${newEmail}.`).waitFor();
      await page.getByRole("button", { name: /account menu/ }).click();
      await page.getByRole("menuitem", { name: "Log out" }).click();
      await page.waitForURL("**/login");
      await open(page, newEmail);
      await page.getByRole("link", { name: "Log in", exact: true }).click();
      await button(page, "Log in with a passkey").click();
      await button(page, CONFIRM).click();
      await page.getByText("Your address is confirmed.").waitFor();
    });

    it("names the other account that is logged in, and leads to the right one", async () => {
      const owner = await signUp(server);
      await verifyEmail(server, owner);
      const newEmail = await askForChange(owner);
      const otherEmail = freshEmail("other");
      const { page } = await browser.device({ userAgent: UA.firefoxWindows });
      await signUpInBrowser(page, server.baseUrl, otherEmail, PASSWORD);
      const addresses = addressesOf(page);
      const token = await open(page, newEmail);
      await heading(page, "You are logged in as another account").waitFor();
      await page.locator(".lk-card").getByText(otherEmail).waitFor();
      await button(page, "Log out and switch account").click();
      await page.getByText("Log in to confirm your new address.").waitFor();
      await typePassword(page, owner);
      await heading(page, "Confirm your new email address").waitFor();
      await button(page, CONFIRM).click();
      await page.getByText("Your address is confirmed.").waitFor();
      expect(addresses.filter((address) => address.includes(token))).toEqual([]);
    });

    it("notices only when confirming that another account is logged in, in a browser that the account knows", async () => {
      const owner = await signUp(server);
      await verifyEmail(server, owner);
      const { page } = await browser.device({ userAgent: UA.firefoxWindows });
      await logInInBrowser(page, server.baseUrl, owner.email, PASSWORD);
      await page.getByText("Current session").waitFor();
      const otherEmail = freshEmail("other");
      await page.goto("about:blank");
      const data = { email: otherEmail, password: PASSWORD };
      expect((await page.request.post(`${server.baseUrl}/api/accounts`, { data })).status()).toBe(201);
      await open(page, await askForChange(owner));
      await button(page, CONFIRM).click();
      await heading(page, "You are logged in as another account").waitFor();
      await page.locator(".lk-card").getByText(otherEmail).waitFor();
      await expect.poll(() => focused(page)).toBe("You are logged in as another account");
    });

    it("asks to log in if the session ended while the page was open", async () => {
      const owner = await signUp(server);
      await verifyEmail(server, owner);
      const newEmail = await askForChange(owner);
      const { page } = await browser.device({ userAgent: UA.firefoxWindows });
      await logInInBrowser(page, server.baseUrl, owner.email, PASSWORD);
      await page.getByText("Current session").waitFor();
      await open(page, newEmail);
      await button(page, CONFIRM).waitFor();
      expectStatus(200, await owner.client.delete("/api/sessions"));
      await button(page, CONFIRM).click();
      await heading(page, LOG_IN_FIRST).waitFor();
      await expect.poll(() => focused(page)).toBe(LOG_IN_FIRST);
    });
  });

  it("says at once that a link no longer works, and keeps nothing of it", async () => {
    const { email } = await signUp(server);
    const { page } = await browser.device({ userAgent: UA.safariIphone });
    const token = await open(page, email);
    await heading(page, "Is this your account?").waitFor();
    await expect.poll(() => kept(page)).toBe(token);
    expectStatus(204, await server.client().post("/api/email-confirmations", { token }));
    await page.reload();
    await heading(page, "This link no longer works").waitFor();
    await page.getByText("This link has expired or was already used.").waitFor();
    expect(await kept(page)).toBeNull();
    await page.reload();
    await heading(page, "The link is missing").waitFor();
  });

  it("shows that it is loading, says when the network fails, and continues once it is back", async () => {
    const { email } = await signUp(server);
    const { page, context } = await browser.device({ userAgent: UA.safariIphone });
    let answer: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await context.route("**/preview", async (route) => {
      await held;
      await route.abort();
    });
    await open(page, email);
    await page.locator(".lk-waiting[data-shown]").waitFor();
    answer();
    await page.getByText("No connection. Nothing was lost; try again.").waitFor();
    await button(page, "Try again").click();
    await page.getByText("No connection. Nothing was lost; try again.").waitFor();
    await context.unroute("**/preview");
    await button(page, "Try again").click();
    await heading(page, "Is this your account?").waitFor();
    await expect.poll(() => focused(page)).toBe("Is this your account?");
    await context.route("**/api/**", (route) => route.abort());
    await button(page, MINE).click();
    await page.getByRole("alert").getByText("No connection.").waitFor();
    await button(page, NOT_MINE).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    const dialog = page.getByRole("alertdialog");
    await dialog.getByRole("button", { name: NOT_MINE }).click();
    await dialog.getByText("No connection.").waitFor();
  });

  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    it.each([360, 1280])("has no accessibility violations at %i px, in any of its states", async (width) => {
      const viewport = { width, height: 800 };
      const device = () => browser.device({ userAgent: UA.safariIphone, colorScheme, viewport });
      const { page } = await device();
      const stranger = await madeByAStranger();
      await open(page, stranger.email);
      await expectGood(page, "Is this your account?");
      await button(page, NOT_MINE).click();
      await page.getByRole("alertdialog").waitFor();
      await expectGood(page, "Is this your account?");
      await page.getByRole("alertdialog").getByRole("button", { name: NOT_MINE }).click();
      await expectGood(page, "Nobody else can log in now");

      const owner = await signUp(server, { email: `${"a-very-long-name-".repeat(2)}${freshEmail()}` });
      await page.goto("about:blank");
      await open(page, owner.email);
      await button(page, MINE).click();
      await expectGood(page, "Address confirmed");
      const newEmail = await askForChange(owner);
      await page.goto("about:blank");
      await open(page, newEmail);
      await expectGood(page, "Log in to confirm your new address");
      await page.getByRole("link", { name: "Log in", exact: true }).click();
      await expectGood(page, "Log in");
      await logInInBrowser(page, server.baseUrl, owner.email, PASSWORD);
      await page.getByText("Current session").waitFor();
      await open(page, newEmail);
      await expectGood(page, "Confirm your new email address");
      await button(page, CONFIRM).click();
      await expectGood(page, "Address confirmed");

      const other = (await device()).page;
      await signUpInBrowser(other, server.baseUrl, freshEmail("other"), PASSWORD);
      await open(other, await askForChange(await signUp(server)));
      await expectGood(other, "You are logged in as another account");
      await other.goto("about:blank");
      await other.route("**/preview", (route) => route.abort());
      await other.goto(`${server.baseUrl}/confirm-email#token=x`);
      await expectGood(other, "The link couldn't be read");
    });

    async function expectGood(page: Page, title: string): Promise<void> {
      await heading(page, title).waitFor();
      expect(await violationsIn(page), title).toEqual([]);
      const root = "document.documentElement";
      const overflow = await page.evaluate<number>(`${root}.scrollWidth - ${root}.clientWidth`);
      expect(overflow, `${title} scrolls sideways`).toBeLessThanOrEqual(0);
    }
  });
});
