import { createServer } from "node:http";
import { join } from "node:path";
import express from "express";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mount } from "../../src/adapters/express.ts";
import { browserFor } from "../support/browsers/browser.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { freshEmail, PASSWORD } from "../support/requests/people.ts";
import { type Build, startApp, type TestApp } from "../support/servers/apps.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");

/** An app of one page, with the package's own cards. `shown` is what it has shown, in that order: the form, and the ids of sessions. */
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

async function bundled(code: string): Promise<string> {
  // There is no such file: it says what the imports are relative to.
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
    const code = await bundled(PAGE);
    const host: Build = (latchkey) => {
      const app = express();
      app.use(mount(latchkey));
      app.get("/page.js", (_request, reply) => void reply.type("text/javascript").send(code));
      app.get("/page", (_request, reply) => {
        reply.type("text/html").send(`<!doctype html><html lang="en"><title>Mine</title>
          <div id="root"></div><script type="module" src="/page.js"></script></html>`);
      });
      return createServer(app);
    };
    database = await engineOf("sqlite").createDatabase();
    server = await startApp(host, database);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  it("show the next person nothing of the one before", async () => {
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
});
