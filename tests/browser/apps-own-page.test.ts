import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { QueryClient, QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import express from "express";
import { LatchkeyProvider, useSessions } from "latchkey/react";
import type { Page } from "playwright-core";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mount } from "../../src/adapters/express.ts";
import { browserFor, focused, logInInBrowser, signUpInBrowser } from "../support/browsers/browser.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { type Build, startApp, type TestApp } from "../support/servers/apps.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");

/** The app's own page with cards, in React's Strict Mode, as in a development server. */
const STRICT = `
  import { createElement, StrictMode } from "react";
  import { createRoot } from "react-dom/client";
  import { LatchkeyProvider, LoginManagement, LoginMethodsCard } from "latchkey/react";
  const cards = [LoginManagement, LoginMethodsCard].map((card) => createElement(card, { key: card.name }));
  const app = createElement(LatchkeyProvider, { basePath: "/auth", passkeys: true }, cards);
  createRoot(document.querySelector("main")).render(createElement(StrictMode, null, app));`;

async function bundle(source: string): Promise<string> {
  const entry = join(DIST, "..", "strict-app.js");
  const built = await build({
    configFile: false,
    logLevel: "silent",
    define: { "process.env.NODE_ENV": JSON.stringify("development") },
    resolve: { alias: { "latchkey/react": join(DIST, "react", "index.js") } },
    plugins: [
      {
        name: "app",
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? source : null),
      },
    ],
    build: { write: false, minify: false, lib: { entry, formats: ["es"], fileName: "app" } },
  });
  const [bundled] = [built].flat();
  if (!bundled || !("output" in bundled)) throw new Error("Nothing was built.");
  return bundled.output[0].code;
}

/** A page of the app's own with the package's client and style sheet, and an ordinary header. */
const host: Build = (latchkey) => {
  const app = express();
  app.use(mount(latchkey));
  app.use("/latchkey", express.static(DIST));
  app.get(
    "/strict.js",
    async (_request, reply) => void reply.type("text/javascript").send(await bundle(STRICT)),
  );
  app.get("/strict", ({ query: { lang = "en" } }, reply) => {
    reply.type("text/html").send(`<!doctype html><html lang="${lang}"><title>Strict</title><main></main>
        <script type="module" src="/strict.js"></script></html>`);
  });
  app.get("/page", (_request, reply) => {
    reply.type("text/html").send(`<!doctype html><html lang="en"><title>Mine</title>
      <link rel="stylesheet" href="/latchkey/react/latchkey.css">
      <header class="header"><button data-working="true">Menu</button></header>
      <section class="lk-card">One</section><section class="lk-card">Two</section>
      <script type="module">
        import { createClient } from "/latchkey/client/index.js";
        window.client = createClient({ basePath: "/auth" });
        window.heard = new Promise((resolve) => {
          if (location.hash === "#listens") window.client.onSignedOut(resolve);
        });
      </script></html>`);
  });
  return createServer(app);
};

/**
 * A component of the app's own inside the provider: what the app's query and Latchkey's get under the same
 * key.
 */
function BothQueries(): string {
  const apps = useQueryClient().getQueryData(["sessions"]);
  return `the app has ${apps}, Latchkey has ${useSessions().data ?? "none yet"}`;
}

describe("On a page of the app's own", () => {
  const browser = browserFor();
  let database: TestDatabase;
  let server: TestApp;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    server = await startApp(host, database);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  async function at(page: Page, hash = ""): Promise<void> {
    await page.goto(`${server.baseUrl.replace("/auth", "/page")}${hash}`);
    await page.waitForFunction("window.client !== undefined");
  }

  it("logging out in a tab that doesn't listen logs out every tab that does", async () => {
    const { page, context } = await browser.device();
    await signUpInBrowser(page, server.baseUrl, freshEmail(), PASSWORD);
    const other = await context.newPage();
    await at(other, "#listens");
    await at(page);
    await page.evaluate("window.client.signOut()");
    expect(await other.evaluate("window.heard")).toEqual({ reason: "signed_out" });
  });

  /**
   * A page that logs people in by itself, and never reloads; nobody is signed in yet. Records what it hears.
   */
  async function listening(page: Page): Promise<void> {
    await at(page);
    await page.evaluate(`
      window.endings = [];
      window.changes = 0;
      window.client.onSignedOut(({ reason }) => window.endings.push(reason));
      window.client.checkSession().catch(() => {});
    `);
    await page.waitForFunction("window.endings.length === 1");
  }

  const watch = "void window.client.watch(() => { window.changes += 1; })";

  /** Returns the session's id. */
  async function signUpInPage(page: Page): Promise<string> {
    const given = JSON.stringify({ email: freshEmail(), password: PASSWORD });
    return page.evaluate<string>(`window.client.signUp(${given}).then(({ session }) => session.id)`);
  }

  it("a page that logs people in by itself hears of every ending, not just the first", async () => {
    const { page } = await browser.device();
    await listening(page);
    for (let logins = 1; logins <= 2; logins += 1) {
      await server.latchkey.sessions.end(await signUpInPage(page));
      await page.evaluate("window.client.sessions().catch(() => {})");
      await page.waitForFunction(`window.endings.length === ${logins + 1}`);
    }
    expect(await page.evaluate("window.endings")).toEqual([
      "none",
      "signed_out_remotely",
      "signed_out_remotely",
    ]);
  });

  it("a login with the app's own form also starts over, with the first call that succeeds", async () => {
    const { page } = await browser.device();
    await listening(page);
    const id = await page.evaluate<string>(`fetch("/auth/api/accounts", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: ${JSON.stringify(JSON.stringify({ email: freshEmail(), password: PASSWORD }))},
    }).then((answer) => answer.json()).then(({ session }) => session.id)`);
    await page.evaluate("window.client.sessions()");
    await server.latchkey.sessions.end(id);
    await page.evaluate("window.client.sessions().catch(() => {})");
    await page.waitForFunction("window.endings.length === 2");
    expect(await page.evaluate("window.endings")).toEqual(["none", "signed_out_remotely"]);
  });

  it.each(["this tab", "another tab"])("an answer to %s from before a login ends nothing", async (which) => {
    const { page, context } = await browser.device();
    await listening(page);
    const tab = which === "this tab" ? page : await context.newPage();
    if (tab !== page) await at(tab);
    await tab.evaluate("window.client.checkSession().catch(() => {})");
    let arrive: (() => void) | undefined;
    await tab.route("**/auth/api/session", async (route) => {
      const response = await route.fetch();
      if (arrive === undefined) await new Promise<void>((resolve) => (arrive = resolve));
      await route.fulfill({ response });
    });
    await tab.evaluate("void (window.asked = window.client.checkSession().catch(() => {}))");
    await expect.poll(() => arrive).toBeDefined();
    await signUpInPage(page);
    arrive?.();
    await tab.evaluate("window.asked");
    await page.evaluate("window.client.sessions()");
    expect(await page.evaluate("window.endings")).toEqual(["none"]);
  });

  it("its stream of changes comes back after a login, whichever tab had it before", async () => {
    const { page, context } = await browser.device();
    const first = await context.newPage();
    for (const tab of [first, page]) {
      await listening(tab);
      await tab.evaluate(watch);
    }
    const id = await signUpInPage(page);
    await page.waitForFunction("window.changes > 0");
    await server.latchkey.sessions.end(id);
    await page.waitForFunction("window.endings.length === 2");
    expect(await page.evaluate("window.endings")).toEqual(["none", "signed_out_remotely"]);
  });

  it("an element that stays on it shows the next person's devices once they are logged in", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    await at(page);
    await signUpInPage(page);
    await page.evaluate(`import("/latchkey/elements/index.js").then(() => {
      const list = document.createElement("login-management");
      list.setAttribute("base-path", "/auth");
      list.addEventListener("latchkey-signed-out", (event) => event.preventDefault());
      document.body.append(list);
    })`);
    const row = page.getByRole("listitem").filter({ hasText: "Current session" });
    for (let person = 0; person < 2; person++) {
      await row.waitFor();
      await page.evaluate("window.client.signOut()");
      await row.waitFor({ state: "detached" });
      await signUpInPage(page);
    }
    await row.waitFor();
  });

  it("the lines of docs/client.md show the devices, in the second tab as in the first", async () => {
    const text = readFileSync(join(import.meta.dirname, "..", "..", "docs", "client.md"), "utf8");
    const lines = /const client = createClient\(.*\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
    const { page } = await browser.device();
    await signUpInBrowser(page, server.baseUrl, freshEmail(), PASSWORD);
    for (const tab of [page, await page.context().newPage()]) {
      await at(tab);
      const labels = await tab.evaluate(
        ([body]) =>
          new Promise((resolve) => {
            const show = (sessions: { label: string }[]) => resolve(sessions.map(({ label }) => label));
            const { client } = globalThis as unknown as { client: unknown };
            new Function("client", "show", `return (async () => { ${body} })()`)(client, show);
          }),
        [lines],
      );
      expect(labels).toHaveLength(1);
    }
  });

  it("in React's Strict Mode, a card has one stream, and a dialog gives the focus back", async () => {
    const { page } = await browser.device({ userAgent: UA.chromeMac });
    const email = freshEmail();
    await signUpInBrowser(page, server.baseUrl, email, PASSWORD);
    await page.goto(server.baseUrl.replace("/auth", "/strict"));
    await page.getByText("Only this device is logged in.").waitFor();
    await expect.poll(() => server.latchkey.parts.live.size).toBe(1);
    const other = (await browser.device({ userAgent: UA.firefoxWindows })).page;
    await logInInBrowser(other, server.baseUrl, email, PASSWORD);
    await page.getByText("2 devices are logged in.").waitFor();
    await page.getByRole("button", { name: "Log out other devices" }).press("Enter");
    await page.getByRole("alertdialog").waitFor();
    await expect.poll(() => focused(page)).toBe("Cancel");
    await page.keyboard.press("Escape");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    await expect.poll(() => focused(page)).toBe("Log out other devices");
  });

  it.each([
    ["de", "en"],
    ["en-GB", null],
  ])(
    "on a page in %s, screen readers are told that a card and its dialogs are English",
    async (page, own) => {
      const { page: tab } = await browser.device();
      const email = freshEmail();
      await signUpInBrowser(tab, server.baseUrl, email, PASSWORD);
      await server.latchkey.fetch(
        new Request(`${server.baseUrl}/api/session`, {
          method: "POST",
          headers: { "Content-Type": "application/json", "User-Agent": UA.firefoxWindows },
          body: JSON.stringify({ email, password: PASSWORD }),
        }),
      );
      await tab.goto(server.baseUrl.replace("/auth", `/strict?lang=${page}`));
      await tab.getByRole("button", { name: "Log out other devices" }).click();
      const places = [tab.getByRole("alertdialog"), tab.locator("#login-management")];
      expect(await Promise.all(places.map((place) => place.getAttribute("lang")))).toEqual([own, own]);
    },
  );

  it.each([true, false])("a card offers a passkey only if the browser supports them: %s", async (knows) => {
    const { page } = await browser.device();
    await signUpInBrowser(page, server.baseUrl, freshEmail(), PASSWORD);
    if (!knows) await page.addInitScript("delete window.PublicKeyCredential");
    await page.goto(server.baseUrl.replace("/auth", "/strict"));
    const card = page.getByRole("region", { name: "Login methods" });
    await card.getByText("This is the only way to log in.").waitFor();
    expect(await card.getByText("Add another one to disconnect it.").count()).toBe(knows ? 1 : 0);
    expect(await card.getByRole("button", { name: "Add a passkey" }).count()).toBe(knows ? 1 : 0);
  });

  it("the cards' style sheet changes nothing outside them", async () => {
    const { page } = await browser.device();
    await at(page);
    await page.keyboard.press("Tab");
    expect(
      await page.evaluate(
        "(({ outlineOffset, opacity }) => ({ outlineOffset, opacity }))(getComputedStyle(document.activeElement))",
      ),
    ).toEqual({ outlineOffset: "0px", opacity: "1" });
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Menu");
  });

  it("cards one below the other have a gap between them", async () => {
    const { page } = await browser.device();
    await at(page);
    const between = `(([one, two]) => two.top - one.bottom)([...document.querySelectorAll(".lk-card")].map((card) => card.getBoundingClientRect()))`;
    expect(await page.evaluate(between)).toBe(16);
  });
});

describe("Around the cards in React", () => {
  it("the app's query client stays the app's, and the cards use their own", () => {
    const own = new QueryClient();
    own.setQueryData(["sessions"], "its list");
    const around = { basePath: "/auth", children: createElement(BothQueries) };
    const cards = createElement(LatchkeyProvider, around);
    const page = createElement(QueryClientProvider, { client: own }, cards);
    expect(renderToStaticMarkup(page)).toBe("the app has its list, Latchkey has none yet");
  });
});
