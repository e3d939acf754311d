import { createServer } from "node:http";
import { join } from "node:path";
import express from "express";
import type { Page } from "playwright-core";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mount } from "../../src/adapters/express.ts";
import { beginTwoFactor, browserFor } from "../support/browsers/browser.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { type Build, startApp, type TestApp } from "../support/servers/apps.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");

/**
 * A single-page app with the package's own cards. `shown` is what it has shown, in order: the form, and
 * session ids.
 */
const PAGE = `
  import { createElement, useState } from "react";
  import { createRoot } from "react-dom/client";
  import { createClient } from "${DIST}/client/index.js";
  import { LatchkeyProvider, useSessions } from "${DIST}/react/index.js";

  const client = createClient({ basePath: "/auth" });
  const shown = (window.shown = []);

  function App() {
    const [isIn, setIsIn] = useState(false);
    const onSignedOut = () => setIsIn(false);
    const around = { basePath: "/auth", client, onSignedOut };
    return createElement(LatchkeyProvider, around, createElement(isIn ? Account : Form, { onDone: () => setIsIn(true) }));
  }
  function Form({ onDone }) {
    shown.push("the form");
    window.signUp = (given) => client.signUp(given).then((answer) => (onDone(), answer.session.id));
    return createElement("p", {}, "Log in");
  }
  function Account() {
    const ids = useSessions().data?.map(({ id }) => id).join() ?? "";
    if (ids !== "" && shown.at(-1) !== ids) shown.push(ids);
    window.logOut = () => client.signOut();
    return createElement("p", {}, ids);
  }
  createRoot(document.getElementById("root")).render(createElement(App));
`;

/** An app that keeps the cards on the page while nobody is logged in. */
const KEPT = `
  import { createElement, useState } from "react";
  import { createRoot } from "react-dom/client";
  import { createClient } from "${DIST}/client/index.js";
  import { LatchkeyProvider, LoginManagement, LoginMethodsCard, PasswordCard, TwoFactorCard } from "${DIST}/react/index.js";

  const client = createClient({ basePath: "/auth" });
  const answer = { sentence: "Acme was connected.", isTrouble: false };

  function App() {
    const [words, setWords] = useState("Welcome");
    window.signUp = (given) => client.signUp(given).then(() => setWords("Somebody is in"));
    window.logOut = () => client.signOut();
    const around = { basePath: "/auth", client, passkeys: true, onSignedOut: () => setWords("Nobody is in") };
    const cards = [LoginManagement, PasswordCard, TwoFactorCard].map((Card, key) => createElement(Card, { key }));
    return createElement(LatchkeyProvider, around, createElement("p", {}, words), ...cards, createElement(LoginMethodsCard, { answer }));
  }
  createRoot(document.getElementById("root")).render(createElement(App));
`;

async function bundled(code: string): Promise<string> {
  // No such file exists: its path is what the imports are relative to.
  const name = join(import.meta.dirname, "the-page.js");
  const built = await build({
    configFile: false,
    logLevel: "silent",
    define: { "process.env.NODE_ENV": '"production"' },
    plugins: [
      {
        name: "the-page",
        resolveId: (id) => (id === name ? id : null),
        load: (id) => (id === name ? code : null),
      },
    ],
    build: { write: false, minify: false, lib: { entry: name, formats: ["es"] } },
  });
  const [one] = [built].flat() as Rolldown.RolldownOutput[];
  return one?.output[0].code ?? "";
}

describe("The cards on a page that stays while people log in and out", () => {
  const browser = browserFor();
  let database: TestDatabase;
  let server: TestApp;
  beforeAll(async () => {
    const pages = { page: await bundled(PAGE), kept: await bundled(KEPT) };
    const host: Build = (latchkey) => {
      const app = express();
      app.use(mount(latchkey));
      for (const [name, code] of Object.entries(pages)) {
        app.get(`/${name}.js`, (_request, reply) => void reply.type("text/javascript").send(code));
        app.get(`/${name}`, (_request, reply) => {
          reply.type("text/html").send(`<!doctype html><html lang="en"><title>Mine</title>
          <div id="root"></div><script type="module" src="/${name}.js"></script></html>`);
        });
      }
      return createServer(app);
    };
    database = await engineOf("sqlite").createDatabase();
    server = await startApp(host, database);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  it("show the next person nothing of the previous one", async () => {
    const { page } = await browser.device();
    await page.goto(server.baseUrl.replace("/auth", "/page"));
    const signUp = async () => {
      await page.getByText("Log in").waitFor();
      const given = JSON.stringify({ email: freshEmail(), password: PASSWORD });
      const id = await page.evaluate<string>(`window.signUp(${given})`);
      await page.getByText(id).waitFor();
      return id;
    };
    const first = await signUp();
    await page.evaluate("window.logOut()");
    const second = await signUp();
    expect(await page.evaluate("window.shown")).toEqual(["the form", first, "the form", second]);
  });

  describe("and in which the cards stay, too,", () => {
    const begin = async () => {
      const { page } = await browser.device();
      await page.goto(server.baseUrl.replace("/auth", "/kept"));
      await page.getByText("Nobody is in").waitFor();
      return page;
    };
    const signUp = async (page: Page) => {
      const email = freshEmail();
      await page.evaluate(`window.signUp(${JSON.stringify({ email, password: PASSWORD })})`);
      await page.getByText("Only this device is logged in.").waitFor();
      return email;
    };

    it("offer a passkey if the browser can create one", async () => {
      const page = await begin();
      await signUp(page);
      await page.getByRole("button", { name: "Add a passkey" }).waitFor();
      await page.addInitScript("delete globalThis.PublicKeyCredential");
      await page.reload();
      await page.getByText("This is the only way to log in.").waitFor();
      const words = await page.getByRole("region", { name: "Login methods" }).textContent();
      expect(words).not.toContain("Add a passkey");
      expect(words).not.toContain("Add another one to disconnect it.");
    });
    const logOut = async (page: Page) => {
      await page.evaluate("window.logOut()");
      await page.getByText("Nobody is in").waitFor();
    };

    it("close whatever is open in them, with what was typed there and what was said", async () => {
      const page = await begin();
      await signUp(page);
      await page.reload();
      await page.getByText("Acme was connected.").waitFor();
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByLabel("New password").fill("half of a new pass");
      const { secret } = await beginTwoFactor(page, PASSWORD);
      await logOut(page);
      await expect.poll(() => page.getByLabel("New password").count()).toBe(0);
      expect((await page.content()).replace(/\s/g, "")).not.toContain(secret);
      await expect.poll(() => page.evaluate("JSON.stringify(sessionStorage)")).not.toContain(secret);
      await signUp(page);
      await page.getByRole("button", { name: "Turn on" }).waitFor();
      expect(await page.getByText("Acme was connected.").count()).toBe(0);
    });

    it("close the question whether to log out other devices", async () => {
      const page = await begin();
      const email = await signUp(page);
      const headers = { "Content-Type": "application/json", "User-Agent": UA.firefoxWindows };
      const body = JSON.stringify({ email, password: PASSWORD });
      await fetch(`${server.baseUrl}/api/session`, { method: "POST", headers, body });
      await page.getByRole("button", { name: "Log out other devices" }).click();
      await page.getByRole("alertdialog").waitFor();
      await logOut(page);
      await expect.poll(() => page.getByRole("alertdialog").count()).toBe(0);
    });

    it("no longer ask the next person for the previous one's proof", async () => {
      const page = await begin();
      await signUp(page);
      await page.route("**/api/passkeys/options", (route) =>
        route.fulfill({
          status: 403,
          headers: { "Content-Type": "application/problem+json" },
          body: JSON.stringify({ status: 403, code: "proof_needed", methods: ["password"] }),
        }),
      );
      await page.getByRole("button", { name: "Add a passkey" }).click();
      await page.getByRole("dialog", { name: "Confirm it's you" }).waitFor();
      await logOut(page);
      await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    });
  });
});
