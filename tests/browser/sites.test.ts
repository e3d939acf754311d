import { randomBytes } from "node:crypto";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFor, focused, signUpInBrowser } from "../support/browsers/browser.ts";
import { engineOf } from "../support/databases/engines.ts";
import { type Someone, TestProvider } from "../support/login-methods/provider.ts";
import { codeAt, STEP } from "../support/login-methods/totp.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { freshEmail, OTHER_PASSWORD, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { deadPort, freePort } from "../support/servers/free-port.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const THANKS = "Thank you, that was you. You won't be asked again for 10 minutes.";

/** Keeps what stands in a live region as it appears: screen readers only announce what changes in one later. */
const BORN_WITH_WORDS = `
  window.bornWithWords = [];
  new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes]))
      if (node instanceof Element)
        for (const region of [node, ...node.querySelectorAll("*")])
          if (region.role === "status" && region.textContent !== "") bornWithWords.push(region.textContent);
  }).observe(document, { childList: true, subtree: true });`;

/** Sends a change of two-factor authentication from the page. */
function changeTwoFactor(page: Page, method: string, body: object): Promise<{ secret: string }> {
  return page.evaluate(
    async ([verb, text]) => {
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch("/api/account/two-factor", { method: verb, body: text, headers });
      return (await answer.json()) as { secret: string };
    },
    [method, JSON.stringify(body)] as const,
  );
}

describe("other sites to log in with, in the browser", () => {
  const browser = browserFor();
  let provider: TestProvider;
  let server: TestServer;
  beforeAll(async () => {
    const port = await freePort();
    const credentials = { clientId: "latchkey", clientSecret: "a-secret-of-the-test-of-32-letters" };
    server = await startServer({
      engine: engineOf("sqlite"),
      oidc: [
        { id: "acme", name: "Acme", issuer: `http://localhost:${port}`, ...credentials },
        { id: "dead", name: "Deadwood", issuer: `http://localhost:${await deadPort()}`, ...credentials },
      ],
    });
    provider = await TestProvider.start(`${server.baseUrl}/api/oidc/acme/callback`, port);
  });
  afterAll(async () => {
    await server.close();
    await provider.stop();
  });

  const someone = (): Someone => ({
    sub: randomBytes(8).toString("hex"),
    email: freshEmail("acme"),
    email_verified: true,
  });

  async function comeInWithAcme(): Promise<{ page: Page; who: Someone }> {
    const who = someone();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await page.goto(`${server.baseUrl}/login`);
    await page.getByRole("link", { name: "Continue with Acme" }).click();
    await provider.signInWith(page, who);
    await page.getByText("Current session").waitFor();
    return { page, who };
  }

  it("lead to the same place (#…) on the page that someone was going to, which no server sees, even after a refusal", async () => {
    const place = "#/inbox?of=ada&token=the-apps-own";
    const there = `${server.baseUrl}/favicon.svg?of=the-app`;
    const seen: string[] = [];
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    page.on("request", (request) => seen.push(request.url()));
    await page.goto(`${server.baseUrl}/login?next=${encodeURIComponent(there)}${place}`);
    await page.getByRole("link", { name: "Continue with Deadwood" }).click();
    await page.getByText("Deadwood gave no usable answer.").waitFor();
    await page.getByRole("link", { name: "Continue with Acme" }).click();
    await provider.signInWith(page, someone());
    await page.waitForURL(there + place);
    expect(seen.filter((url) => /inbox|ada/.test(url.replace(place, "")))).toEqual([]);
  });

  /** Longer than a proof is valid; all of it together is shorter than a site's answer is valid. */
  const longAfter = () => server.clock.advance(11 * MINUTE);

  it("create an account, can prove that it is still you, and resume what was begun", async () => {
    const { page, who } = await comeInWithAcme();
    const methods = page.getByRole("region", { name: "Login methods" });
    await methods.getByText("This is the only way to log in. Add another one to disconnect it.").waitFor();
    longAfter();
    const card = page.getByRole("region", { name: "Password", exact: true });
    await card.getByText("Adds another way to log in.").waitFor();
    await card.getByRole("button", { name: "Add a password" }).click();
    await card.getByLabel("New password").fill(PASSWORD);
    await card.getByRole("button", { name: "Add the password" }).click();
    const dialog = page.getByRole("dialog", { name: "Confirm it's you" });
    await dialog.getByRole("button", { name: "Continue with Acme" }).click();
    await provider.signInWith(page, who);
    await card.getByText(THANKS).waitFor();
    await expect.poll(() => focused(page)).toBe("New password");
    await expect.poll(() => new URL(page.url()).search).toBe("");
    await expect.poll(() => card.getByLabel("New password").inputValue()).toBe("");
    await card.getByLabel("New password").fill(PASSWORD);
    await card.getByRole("button", { name: "Add the password" }).click();
    await card.getByText("Password added.").waitFor();
  });

  it("prove it for ten minutes: after that, the site is needed again, with the code", async () => {
    const { page, who } = await comeInWithAcme();
    const { clock } = server;
    clock.toMiddleOf(STEP);
    const { secret } = await changeTwoFactor(page, "POST", {});
    await changeTwoFactor(page, "PUT", { code: codeAt(secret, clock.now()) });
    longAfter();
    await page.clock.install();
    await page.reload();
    const card = page.getByRole("region", { name: "Email" });
    const sendLink = async () => {
      await card.getByLabel("New email").fill(freshEmail("later"));
      await card.getByRole("button", { name: "Send the link" }).click();
    };
    const dialog = page.getByRole("dialog", { name: "Confirm it's you" });
    await card.getByRole("button", { name: "Change email" }).click();
    await sendLink();
    await dialog.getByRole("button", { name: "Continue with Acme" }).click();
    await provider.signInWith(page, who);
    await sendLink();
    await dialog.getByLabel("Authentication code").waitFor();
    expect(await dialog.getByRole("button", { name: "Continue with Acme" }).count()).toBe(0);
    await dialog.getByRole("button", { name: "Cancel" }).click();
    longAfter();
    await page.clock.fastForward(11 * MINUTE);
    await sendLink();
    await dialog.getByRole("button", { name: "Continue with Acme" }).waitFor();
  });

  it("also resume everything else that was begun, scrolled into view", async () => {
    const { page, who } = await comeInWithAcme();
    const viewport = page.viewportSize();
    const begin: [string, () => Promise<void>, () => Promise<unknown>][] = [
      [
        "an email",
        async () => {
          await page.getByRole("button", { name: "Change email" }).click();
          await page.getByLabel("New email").fill(freshEmail("later"));
          await page.getByRole("button", { name: "Send the link" }).click();
        },
        () => page.getByLabel("New email").waitFor(),
      ],
      [
        "two-factor authentication",
        async () => {
          const card = page.getByRole("region", { name: "Two-factor authentication" });
          await card.getByRole("button", { name: "Turn on" }).click();
          await card.getByRole("button", { name: "Continue" }).click();
        },
        () => page.getByRole("button", { name: "Continue", exact: true }).waitFor(),
      ],
      [
        "deleting the account",
        async () => {
          await page.getByRole("button", { name: "Delete account…" }).click();
          await page.getByRole("alertdialog").getByRole("button", { name: "Delete account" }).click();
        },
        () => page.getByRole("alertdialog", { name: "Delete your account" }).waitFor(),
      ],
    ];
    for (const [what, start, isThere] of begin) {
      longAfter();
      await page.reload();
      await page.getByText("Current session").waitFor();
      await start();
      await page.getByRole("button", { name: "Continue with Acme" }).click();
      await provider.signInWith(page, who);
      await isThere();
      await expect.poll(() => focused(page)).not.toBe("");
      // A field that turns out not to be needed disappears, and the focus moves on.
      const isSeen = async () => {
        const box = await page.locator(":focus").boundingBox();
        return box !== null && box.y >= 0 && box.y < (viewport?.height ?? 0);
      };
      await expect.poll(isSeen, { message: what }).toBe(true);
    }
    await page.getByRole("alertdialog").getByRole("button", { name: "Delete account" }).click();
    await page.getByText("Your account was deleted.").waitFor();
  });

  it("announce the result to screen readers: it comes into a live region that is there already", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await page.addInitScript(BORN_WITH_WORDS);
    await signUpInBrowser(page, server.baseUrl, freshEmail(), PASSWORD);
    for (const [address, sentence] of [
      ["?connected=acme#login-methods", "The site was connected."],
      ["?error=provider_cancelled#login-methods", "You cancelled at"],
      ["?error=provider_cancelled", "You cancelled at"],
    ] as const) {
      await page.goto(`${server.baseUrl}/login`);
      await page.goto(`${server.baseUrl}/settings/security${address}`);
      await page.getByRole("status").filter({ hasText: sentence }).waitFor();
      expect(await page.evaluate("window.bornWithWords"), address).toEqual([]);
    }
  });

  it("are connected, and the result is shown where the person lands", async () => {
    const email = freshEmail();
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await signUpInBrowser(page, server.baseUrl, email, PASSWORD);
    const card = page.getByRole("region", { name: "Login methods" });
    await card.getByRole("button", { name: "Connect Deadwood" }).click();
    await card.getByText("Deadwood doesn't answer. Try again in a minute.").waitFor();
    await card.getByRole("button", { name: "Connect Acme" }).click();
    await page.getByRole("link", { name: "Cancel" }).click();
    await card.getByText("You cancelled at Acme. Try again, or use another way.").waitFor();
    await expect.poll(() => isInView(page, "You cancelled at Acme.")).toBe(true);

    // A proof by password comes first if the last one is long ago; connecting then goes on by itself.
    longAfter();
    await card.getByRole("button", { name: "Connect Acme" }).click();
    const dialog = page.getByRole("dialog", { name: "Confirm it's you" });
    await dialog.getByLabel("Current password").fill(OTHER_PASSWORD);
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await dialog.getByText("That is not your current password.").waitFor();
    await dialog.getByLabel("Current password").fill(PASSWORD);
    await dialog.getByRole("button", { name: "Confirm" }).click();
    await provider.signInWith(page, someone());
    await card.getByText("Acme was connected.").waitFor();
    await expect.poll(() => isInView(page, "Acme was connected.")).toBe(true);
    await expect.poll(() => new URL(page.url()).search).toBe("");
    await expect.poll(() => card.getByRole("button", { name: "Disconnect Acme" }).isDisabled()).toBe(true);
    await card.getByText("A password will, once your email address is confirmed.").waitFor();
    await card.getByRole("button", { name: "Connect Deadwood" }).click();
    await card.getByText("Deadwood doesn't answer.").waitFor();
    await card.getByText("Acme was connected.").waitFor({ state: "detached" });
  });

  async function isInView(page: Page, sentence: string): Promise<boolean> {
    const box = await page.getByText(sentence).boundingBox();
    const height = page.viewportSize()?.height ?? 0;
    return box !== null && box.y >= 0 && box.y + box.height <= height;
  }
});
