import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import compression from "compression";
import express, { type RequestHandler } from "express";
import type { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mount } from "../../src/adapters/express.ts";
import { createLatchkey, type LatchkeyOptions } from "../../src/index.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { isSignedIn, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import {
  type Build,
  frameworks,
  type Manner,
  onHono,
  startApp,
  type TestApp,
} from "../support/servers/apps.ts";

const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

describe("An app that isn't the simplest", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
  });
  afterAll(() => database.drop());

  async function within(build: Build, manner: Manner, act: (app: TestApp) => Promise<void>): Promise<void> {
    const app = await startApp(build, database, { manner });
    try {
      await act(app);
    } finally {
      await app.close();
    }
  }

  test("the app's own copy of Hono works as well as Latchkey's", async () => {
    const folder = await mkdtemp(join(tmpdir(), "latchkey-hono-"));
    const copy = join(folder, "hono");
    try {
      const own = join(import.meta.dirname, "..", "..", "node_modules", "hono");
      await cp(own, copy, { recursive: true });
      const entry = pathToFileURL(join(copy, "dist", "index.js")).href;
      const { Hono: OtherHono } = (await import(entry)) as { Hono: typeof Hono };
      await within(onHono(OtherHono), { readsBodies: "json" }, async (app) => {
        const { client, email } = await signUp(app);
        expect(JSON.parse((await app.app(client).get("/notes")).text)).toMatchObject({ email });
      });
      await within(onHono(OtherHono), { below: "/account" }, async (app) => {
        const { status, text } = await app.app(app.client()).get("/account/login");
        expect([status, text]).toEqual([500, expect.stringContaining("mounted below /account")]);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each(["onRequest", "preHandler"] as const)(
    "a Fastify app that checks everything in a hook (%s) leaves Latchkey's pages open, and nothing else",
    async (hook) => {
      await within(frameworks.Fastify, { checksAll: hook }, async (app) => {
        const nobody = app.app(app.client());
        expect((await nobody.get("/auth/login", NAVIGATION)).status).toBe(200);
        const page = await nobody.get("/notes", NAVIGATION);
        expect([page.status, header(page, "location")]).toEqual([
          302,
          expect.stringContaining("/auth/login?"),
        ]);
        for (const path of ["/auth/own", "/authentic", "/none", "/auth/../notes", "/auth%2F..%2Fnotes"]) {
          const answer = await nobody.get(path);
          expect([path, answer.status]).toEqual([path, expect.toBeOneOf([401, 404])]);
          expect(answer.text).not.toContain("the app's own");
        }
        expectRefusal(await nobody.get("/auth/own"), 401, "signed_out");
        const { client } = await signUp(app);
        expect((await app.app(client).get("/auth/own")).text).toBe("the app's own");
      });
    },
  );

  test.each(["Express", "Hono"] as const)(
    "in %s, an app that checks before the mount is told to move it, and lets nobody through",
    async (name) => {
      await within(frameworks[name], { checksAll: "preHandler" }, async (app) => {
        const nobody = app.app(app.client());
        const login = await nobody.get("/auth/login", NAVIGATION);
        expect([login.status, login.text]).toEqual([
          500,
          expect.stringContaining("Move app.use(mount(latchkey)) above it"),
        ]);
        expect((await nobody.get("/notes", NAVIGATION)).status).toBe(302);
        expectRefusal(await nobody.get("/notes"), 401, "signed_out");
      });
    },
  );

  test("an Express app that has already answered, for example after a timeout, gets no second answer", async () => {
    const first: Manner["first"] = (request, reply, next) => {
      if (request.path === "/notes") reply.status(503).send("That took too long.");
      next();
    };
    await within(frameworks.Express, { first }, async (app) => {
      const unhandled: unknown[] = [];
      const hear = (error: unknown) => unhandled.push(error);
      process.prependListener("unhandledRejection", hear);
      const answer = await app.app(app.client()).get("/notes");
      expect([answer.status, answer.text]).toEqual([503, "That took too long."]);
      expect(await isSignedIn((await signUp(app)).client)).toBe(true);
      process.off("unhandledRejection", hear);
      expect(unhandled).toEqual([]);
    });
  });

  test("in code, below an Express router, a browser comes back to the page that it asked for", async () => {
    const build: Build = (latchkey) => {
      const ask: RequestHandler = async (request, reply) => {
        const who = await latchkey.requireSession(request);
        reply.redirect(who instanceof Response ? (who.headers.get("location") ?? "") : "/");
      };
      return createServer(express().use(mount(latchkey), express.Router().use("/admin", ask)));
    };
    await within(build, {}, async (app) => {
      const page = await app.app(app.client()).get("/admin/people?of=us", NAVIGATION);
      const { searchParams } = new URL(header(page, "location") ?? "", app.baseUrl);
      expect(searchParams.get("next")).toBe(app.baseUrl.replace("/auth", "/admin/people?of=us"));
    });
  });

  test("behind compression, an open page still hears at once", async () => {
    await within(frameworks.Express, { first: compression({ threshold: 0 }) }, async (app) => {
      const person = await signUp(app);
      const page = await app.app(person.client).get("/auth/healthz", { "Accept-Encoding": "gzip" });
      expect(header(page, "content-encoding")).toBe("gzip");
      const live = await person.client.live({ "Accept-Encoding": "gzip" });
      await signIn(app, person, UA.firefoxWindows);
      expect(await live.nextOf("sessions-changed")).toBeTruthy();
      expect(live.headers["cache-control"]).toBe("no-store, no-transform");
      live.close();
    });
  });

  test("a server that stops releases every open page, even those that come back meanwhile", async () => {
    await within(frameworks.Express, {}, async (app) => {
      const { client } = await signUp(app);
      const live = await client.live();
      app.latchkey.closeStreams();
      await live.closed();
      await (await client.live()).closed();
      expect(await isSignedIn(client)).toBe(true);
    });
  });

  test.each([
    ["baseURL", "baseURL is an unknown option; did you mean baseUrl?"],
    ["BASE_URL", "BASE_URL is an unknown option; did you mean baseUrl?"],
    ["LATCHKEY_SIGN_UP", "LATCHKEY_SIGN_UP is an unknown option; did you mean signUp?"],
    ["sesionLifetme", "sesionLifetme is an unknown option; did you mean sessionLifetime?"],
    ["foo", "foo is an unknown option."],
    ["toString", "toString is an unknown option."],
  ])("an option called %s is refused at the start", async (name, sentence) => {
    const given: LatchkeyOptions = { databaseUrl: database.url, ...{ [name]: "x" } };
    await expect(createLatchkey(given)).rejects.toThrow(`createLatchkey: ${sentence}`);
  });
});
