import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import sparticuz from "@sparticuz/chromium";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type CDPSession,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

/** A person's device: its own cookies, its own User-Agent, and everything that went wrong in its pages. */
export type Device = { context: BrowserContext; page: Page };

const LAXER = [
  "--disable-web-security",
  "--disable-site-isolation-trials",
  "--allow-running-insecure-content",
  "--disable-features",
];

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * A real Chromium for the tests of a file. Whatever a page says on its console about a policy that was
 * violated, or throws, fails the test in which it happened. `laxer` is the package's own way to start it, which
 * keeps sites apart less strictly than what people use; without it they are kept apart as everywhere.
 */
export function browserFor({ laxer = true } = {}): {
  device(options?: BrowserContextOptions): Promise<Device>;
} {
  let browser: Browser | undefined;
  const open: BrowserContext[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const left = ["--single-process", ...(laxer ? [] : LAXER)];
    const args = sparticuz.args.filter((arg) => !left.some((one) => arg.startsWith(one)));
    browser = await chromium.launch({
      executablePath: await sparticuz.executablePath(),
      args,
      headless: true,
    });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((context) => context.close()));
    expect(complaints.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());

  return {
    async device(options = {}) {
      if (!browser) throw new Error("The browser runs in tests only.");
      const context = await browser.newContext(options);
      context.setDefaultTimeout(60_000);
      open.push(context);
      context.on("page", (page) => {
        page.on("pageerror", (error) => complaints.push(error.message));
        page.on("console", (message) => {
          if (/Content.Security.Policy|violates/i.test(message.text())) complaints.push(message.text());
        });
      });
      return { context, page: await context.newPage() };
    },
  };
}

/** In a page: what has the focus, by its name or text; the empty string if nothing has. */
export const FOCUSED = `(({ activeElement: at }) => at === document.body ? "" : (at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent))(document)`;

export function focused(page: Page): Promise<string> {
  return page.evaluate<string>(FOCUSED);
}

/** As if the person goes to another tab, or comes back. */
export async function setVisibility(page: Page, state: "hidden" | "visible"): Promise<void> {
  await page.evaluate(
    `Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))`,
  );
}

/** Gives the page the browser's own virtual authenticator, with a fingerprint that is always right. */
export async function addAuthenticator(
  page: Page,
): Promise<{ devtools: CDPSession; authenticatorId: string }> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { devtools, authenticatorId };
}

/** Otherwise, the virtual authenticator answers the offer in the email field before the button is pressed. */
export async function withoutOfferInField(page: Page): Promise<void> {
  await page.addInitScript("PublicKeyCredential.isConditionalMediationAvailable = async () => false");
}

type AxeResults = { violations: { id: string; nodes: { html: string }[] }[] };

/** What axe finds wrong with a page as it is now. */
export async function violationsIn(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(`${axeSource}; axe.run()`);
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`,
  );
}

/** Signs up in the browser and arrives at the security page. */
export async function signUpInBrowser(
  page: Page,
  baseUrl: string,
  email: string,
  password: string,
): Promise<void> {
  await page.goto(`${baseUrl}/sign-up`);
  await createAccount(page, email, password);
  await page.getByText("Current session").waitFor();
}

/**
 * Goes to a page of an app that needs a session, and signs up by way of the login page; the test says where
 * that leads.
 */
export async function signUpFrom(page: Page, url: string, email: string, password: string): Promise<void> {
  await page.goto(url);
  await page.waitForURL("**/auth/login?next=**");
  await page.getByRole("link", { name: "Create account" }).click();
  await createAccount(page, email, password);
}

/** Fills in and submits the open sign-up page. */
export async function createAccount(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account", exact: true }).click();
}

/** Logs in in the browser; the test says where that leads. */
export async function logInInBrowser(
  page: Page,
  baseUrl: string,
  email: string,
  password: string,
): Promise<void> {
  await page.goto(`${baseUrl}/login`);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

/** Begins to turn on two-factor authentication: the card, which waits for the first code, and the secret for it. */
export async function beginTwoFactor(
  page: Page,
  password: string,
): Promise<{ card: Locator; secret: string }> {
  const card = page.getByRole("region", { name: "Two-factor authentication" });
  await card.getByRole("button", { name: "Turn on" }).click();
  await card.getByLabel("Current password").fill(password);
  await card.getByRole("button", { name: "Continue" }).click();
  await card.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  const secret = (await card.locator("code").textContent()) ?? "";
  return { card, secret: secret.replace(/\s/g, "") };
}
