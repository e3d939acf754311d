import { setTimeout as wait } from "node:timers/promises";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeTrustingHome, whyNoBinding } from "../support/binding-browser.ts";
import { signUpInBrowser } from "../support/browser.ts";
import { Clock, MINUTE } from "../support/clock.ts";
import { engineOf } from "../support/engines.ts";
import { startHttpsFront } from "../support/https-front.ts";
import { freshEmail, PASSWORD } from "../support/people.ts";
import { startServer, type TestServer } from "../support/server.ts";

const BOUND = "__Host-latchkey-bound";
const SPARE = "127.0.0.1";

if (whyNoBinding !== null)
  console.error(`\n!!! NOT RUN: no session is bound in a real browser, since ${whyNoBinding}.\n`);

describe.skipIf(whyNoBinding !== null)("A session in a Chromium that binds", () => {
  const home = whyNoBinding === null ? makeTrustingHome() : null;
  let front: Awaited<ReturnType<typeof startHttpsFront>>;
  let server: TestServer;
  let baseUrl: string;
  const clock = new Clock();
  const open: BrowserContext[] = [];

  beforeAll(async () => {
    if (!home) return;
    front = await startHttpsFront(home, () => server.port);
    baseUrl = `https://localhost:${front.port}`;
    server = await startServer({ engine: engineOf("sqlite"), baseUrl, clock });
  });
  afterEach(() => Promise.all(open.splice(0).map((context) => context.close())));
  afterAll(async () => {
    await front?.close();
    await server?.close();
    home?.remove();
  });

  async function browser(profile: string): Promise<BrowserContext> {
    if (!home) throw new Error("unreachable");
    const context = await home.open(profile);
    open.push(context);
    return context;
  }

  async function boundIn(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await signUpInBrowser(page, baseUrl, freshEmail(), PASSWORD);
    await until(async () => (await boundCookie(context)) !== undefined);
    await page.reload();
    await page.getByText("Bound to this device").waitFor();
    return page;
  }

  const boundCookie = async (context: BrowserContext) =>
    (await context.cookies(baseUrl)).find(({ name }) => name === BOUND)?.value;

  it("binds itself, and is refreshed whenever the short cookie is gone, in two tabs too", async () => {
    const context = await browser("refreshes");
    const page = await boundIn(context);
    for (let round = 0; round < 3; round++) {
      const before = await boundCookie(context);
      await context.clearCookies({ name: BOUND });
      const other = await context.newPage();
      await Promise.all([page.reload(), other.goto(`${baseUrl}/settings/security`)]);
      for (const one of [page, other]) await one.getByText("Current session").waitFor();
      expect(await boundCookie(context)).not.toBe(before);
      await other.close();
    }
  });

  it("goes on after the browser was started again, and after a link from another site", async () => {
    const first = await browser("restarts");
    await boundIn(first);
    await first.clearCookies({ name: BOUND });
    await first.close();
    const again = await browser("restarts");
    const page = await again.newPage();
    await page.route(`https://${SPARE}:${front.port}/**`, (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<a href="${baseUrl}/settings/security">to the site</a>`,
      }),
    );
    await page.goto(`https://${SPARE}:${front.port}/links`);
    await page.getByText("to the site").click();
    await page.getByText("Current session").waitFor();
  });

  it("is worthless elsewhere with all its cookies, once the short one is over, and the open page says so", async () => {
    const context = await browser("owner");
    const page = await boundIn(context);
    const thief = await browser("thief");
    await thief.addCookies(await context.cookies(baseUrl));
    const stolen = await thief.newPage();
    await stolen.goto(`${baseUrl}/settings/security`);
    await stolen.getByText("Current session").waitFor();

    clock.advance(11 * MINUTE);
    await context.clearCookies({ name: BOUND });
    await page.reload();
    await page.getByText("Current session").waitFor();
    await stolen.goto(`${baseUrl}/settings/security`);
    await stolen.waitForURL(/\/login/);
    await page.getByText("A copy of this session's cookie was used").waitFor({ timeout: 5_000 });
  });

  it("forgets its binding once it has ended, and the login page says why", async () => {
    const context = await browser("ended");
    const page = await boundIn(context);
    const { session } = await page.evaluate<{ session: { id: string } }>(
      `fetch("/api/session").then((answer) => answer.json())`,
    );
    // An open page would leave by itself.
    await page.goto("about:blank");
    await server.latchkey.sessions.end(session.id, "the test");
    await context.clearCookies({ name: BOUND });
    await page.goto(`${baseUrl}/settings/security`);
    await page.waitForURL(/\/login/);
    await page.getByText("You were logged out from the test").waitFor();
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error("It never came to be.");
    await wait(50);
  }
}
