import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bindingSiteFor,
  boundCookie,
  canBind,
  dropBoundCookie,
  SITES,
  showsBound,
  signUpBoundIn,
} from "../support/browsers/binding-browser.ts";
import { REFRESH } from "../support/browsers/bound-browser.ts";
import { engineOf } from "../support/databases/engines.ts";
import { TestProvider } from "../support/login-methods/provider.ts";
import { Clock, MINUTE } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD, signIn } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

/** As often as Chromium signs for one site within 9 minutes, not counting the registration. */
const ROUNDS = 5;
const SPARE = "127.0.0.1";
/** A port that nobody listens on. */
const NOBODY = 1;
const COPY = "A copy of this session's cookie was used";

describe.skipIf(!canBind)("A session in a Chromium that binds", () => {
  const site = bindingSiteFor();
  let provider: TestProvider;
  let server: TestServer;
  const clock = new Clock();

  beforeAll(async () => {
    provider = await TestProvider.start(`${site.url()}/api/oidc/acme/callback`);
    const { issuer, clientId, clientSecret } = provider;
    const oidc = [{ id: "acme", name: "Acme", issuer, clientId, clientSecret }];
    server = await startServer({ engine: engineOf("sqlite"), baseUrl: site.url(), clock, oidc });
    site.leadTo(() => server.port);
  });
  afterAll(async () => {
    await server?.close();
    await provider?.stop();
  });

  it("binds itself, and is refreshed whenever the short cookie is gone, in two tabs too", async () => {
    const context = await site.browser("refreshes");
    const page = await signUpBoundIn(context, site.url());
    for (let round = 0; round < 3; round++) {
      const before = await boundCookie(context, site.url());
      await dropBoundCookie(context);
      const other = await context.newPage();
      await Promise.all([page.reload(), other.goto(`${site.url()}/settings/security`)]);
      for (const one of [page, other]) await one.getByText("Current session").waitFor();
      await expect
        .poll(async () => [undefined, before].includes(await boundCookie(context, site.url())))
        .toBe(false);
      await other.close();
    }
  });

  it("goes on through many refreshes, at each of several sites that one browser is signed in to", async () => {
    const servers = await Promise.all(
      SITES.map((host) => startServer({ engine: engineOf("sqlite"), baseUrl: site.url(host), clock })),
    );
    site.leadTo(
      ({ headers }) => servers.find(({ baseUrl }) => baseUrl.endsWith(`//${headers.host}`))?.port ?? 0,
    );
    try {
      const context = await site.browser("sites");
      const pages: Page[] = [];
      for (const host of SITES) pages.push(await signUpBoundIn(context, site.url(host)));
      for (let round = 0; round < ROUNDS; round++) {
        const cookies = async () =>
          (await Promise.all(SITES.map((host) => boundCookie(context, site.url(host))))).filter(
            (value) => value !== undefined,
          );
        const before = await cookies();
        for (const host of SITES) await dropBoundCookie(context, host);
        await Promise.all(pages.map((page) => page.reload()));
        for (const page of pages) await page.getByText("Bound to this device").waitFor();
        await expect.poll(async () => new Set([...before, ...(await cookies())]).size).toBe(2 * SITES.length);
      }
    } finally {
      site.leadTo(() => server.port);
      await Promise.all(servers.map((one) => one.close()));
    }
  }, 300_000);

  it("is bound, too, if a provider signed the person in", async () => {
    const page = await (await site.browser("provider")).newPage();
    await page.goto(`${site.url()}/login`);
    await page.getByText("Continue with Acme").click();
    await provider.signInWith(page, { sub: "ada", email: freshEmail("acme"), email_verified: true });
    await page.getByText("Current session").waitFor();
    await showsBound(page, site.url());
    await dropBoundCookie(page.context());
    await page.reload();
    await page.getByText("Bound to this device").waitFor();
  });

  it("goes on after the browser was restarted, and after a link from another site", async () => {
    const first = await site.browser("restarts");
    await signUpBoundIn(first, site.url());
    await dropBoundCookie(first);
    await first.close();
    const again = await site.browser("restarts");
    const page = await again.newPage();
    await page.route(`${site.url(SPARE)}/**`, (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<a href="${site.url()}/settings/security">to the site</a>`,
      }),
    );
    await page.goto(`${site.url(SPARE)}/links`);
    site.answers();
    await page.getByText("to the site").click();
    await page.getByText("Current session").waitFor();
    const pages = site.answers().filter(({ path }) => /^\/(login|settings)/.test(path));
    expect(pages.map(({ status }) => status)).toEqual([200]);
  });

  it("stays where it is when a refresh doesn't get through: the page repeats what it asked for meanwhile", async () => {
    const context = await site.browser("unreachable");
    const email = freshEmail();
    const page = await signUpBoundIn(context, site.url(), email);
    await signIn(server, { email, password: PASSWORD }, UA.firefoxWindows);
    const row = page.getByRole("button", { name: "Log out Firefox on Windows" });
    await row.waitFor();
    let wasAsked = false;
    site.leadTo(({ url = "" }) => {
      wasAsked ||= url.startsWith("/api/sessions/");
      return url === REFRESH && !wasAsked ? NOBODY : server.port;
    });
    await dropBoundCookie(context);
    site.answers();
    await row.click();
    await row.waitFor({ state: "detached" });
    const ended = site.answers().filter(({ path }) => path.startsWith("/api/sessions/"));
    expect(ended.map(({ status }) => status)).toEqual([401, 204]);
    await page.getByText("Current session").waitFor();
    expect(await page.getByText(COPY).count()).toBe(0);
  });

  it("gets to its page by itself, by way of the login page, when the refresh before it doesn't get through", async () => {
    const context = await site.browser("detour");
    const page = await signUpBoundIn(context, site.url());
    await page.goto("about:blank");
    let wasSent = false;
    site.leadTo(({ url = "" }) => {
      wasSent ||= url.startsWith("/login");
      return url === REFRESH && !wasSent ? NOBODY : server.port;
    });
    await dropBoundCookie(context);
    await page.goto(`${site.url()}/settings/security`);
    await page.getByText("Bound to this device").waitFor();
    expect(wasSent).toBe(true);
    expect(await page.getByText(COPY).count()).toBe(0);
  });

  it("is worthless elsewhere with all its cookies once the short-lived one has expired, and the open page says so at once", async () => {
    const context = await site.browser("owner");
    const page = await signUpBoundIn(context, site.url());
    const thief = await site.browser("thief");
    await thief.addCookies(await context.cookies(site.url()));
    const stolen = await thief.newPage();
    // Requests of its scripts might still be under way when the clock moves on, and be refused as a copy's.
    await stolen.route(/\.js$/, (route) => route.abort());
    const opened = await stolen.goto(`${site.url()}/settings/security`);
    expect([opened?.status(), stolen.url()]).toEqual([200, `${site.url()}/settings/security`]);
    await stolen.unroute(/\.js$/);

    clock.advance(11 * MINUTE);
    await dropBoundCookie(context);
    await page.reload();
    await page.getByText("Current session").waitFor();
    expect(await page.getByText(COPY).count()).toBe(0);
    const told = page
      .getByText(COPY)
      .waitFor()
      .then(() => performance.now());
    site.answers();
    await stolen.goto(`${site.url()}/settings/security`);
    const toldAt = await told;
    const refused = site
      .answers()
      .find(({ path, status }) => path === "/settings/security" && status !== 200);
    console.log(
      `The owner's page said so ${Math.round(toldAt - (refused?.at ?? 0))} ms after the copy was refused.`,
    );
    await stolen.waitForURL(/\/login/);
    await stolen.getByText("This browser couldn't prove that it is the one you logged in with.").waitFor();
  });

  it("forgets its binding once it has ended, and the login page says why", async () => {
    const context = await site.browser("ended");
    const page = await signUpBoundIn(context, site.url());
    const { session } = await page.evaluate<{ session: { id: string } }>(
      `fetch("/api/session").then((answer) => answer.json())`,
    );
    // An open page would leave by itself.
    await page.goto("about:blank");
    await server.latchkey.sessions.end(session.id, "the test");
    await dropBoundCookie(context);
    await page.goto(`${site.url()}/settings/security`);
    await page.waitForURL(/\/login/);
    await page.getByText("You were logged out from the test").waitFor();
  });
});
