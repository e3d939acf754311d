import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as inExpress from "../../src/adapters/express.ts";
import * as inFastify from "../../src/adapters/fastify.ts";
import * as inHono from "../../src/adapters/hono.ts";
import * as inNext from "../../src/adapters/next.ts";
import { createLatchkey, type Latchkey } from "../../src/index.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";

vi.mock("next/headers.js", () => ({ headers: async () => new Headers() }));
vi.mock("next/navigation.js", () => ({ redirect: () => expect.fail("Nobody is to be sent anywhere.") }));
vi.mock("next/server.js", () => ({ connection: async () => {} }));

const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

/** As an untyped caller writes it. */
const untyped = (value: unknown) => value as never;

describe("A mistake by the app's developer is answered with what to write", () => {
  let database: TestDatabase;
  let latchkey: Latchkey;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    latchkey = await createLatchkey({
      baseUrl: "http://localhost:3000/auth",
      databaseUrl: database.url,
      logLevel: "silent",
    });
  });
  afterAll(async () => {
    await latchkey.close();
    await database.drop();
  });

  const AWAIT = /got a promise.*const latchkey = await createLatchkey\(/;

  test.each([
    ["Express", inExpress],
    ["Hono", inHono],
  ])("in %s, a forgotten await stops the app as it starts", (_name, { mount, requireSession }) => {
    const promise = untyped(Promise.resolve(latchkey));
    expect(() => mount(promise)).toThrow(AWAIT);
    expect(() => requireSession(promise)).toThrow(AWAIT);
    expect(() => requireSession(untyped(undefined))).toThrow("takes what `await createLatchkey(…)` gives");
    expect(() => mount(untyped({ latchkey }))).toThrow("takes what `await createLatchkey(…)` gives");
  });

  test("in Fastify, a forgotten await stops the app as it starts, and so does a plugin without its Latchkey", async () => {
    const promise = untyped(Promise.resolve(latchkey));
    expect(() => inFastify.requireSession(promise)).toThrow(AWAIT);
    const register = async (...given: unknown[]) => {
      await (fastify().register as (...args: unknown[]) => PromiseLike<unknown>)(...given);
    };
    await expect(register(inFastify.mount, { latchkey: promise })).rejects.toThrow(AWAIT);
    const remedy = "await app.register(mount, { latchkey })";
    await expect(register(inFastify.mount)).rejects.toThrow(remedy);
    await expect(register(inFastify.mount, latchkey)).rejects.toThrow(remedy);
    await expect(inFastify.mount(untyped(latchkey), untyped(undefined))).rejects.toThrow(remedy);
  });

  test("in Fastify, a hook that is the function itself answers, and leaves nobody waiting for ever", async () => {
    const app = fastify();
    app.addHook("onRequest", untyped(inFastify.requireSession));
    app.get("/", async () => "hello");
    const { statusCode, body } = await app.inject("/");
    expect([statusCode, body]).toEqual([500, expect.stringContaining("requireSession(latchkey)")]);
    await app.close();
  });

  test("fetch takes a web Request, and says so if given anything else", async () => {
    const nodes = { method: "GET", url: "/auth/login", headers: { host: "localhost:3000" } };
    for (const wrong of [nodes, "http://localhost:3000/auth/login", undefined].map(untyped))
      await expect(latchkey.fetch(wrong)).rejects.toThrow("latchkey.fetch takes a web Request");
    expect((await latchkey.fetch(new Request("http://localhost:3000/auth/login"))).status).toBe(200);
  });

  test.each(["http://localhost:3000/auth", null, ["x"]])(
    "options that aren't an object (%j) are refused",
    async (given) => {
      const sentence = 'createLatchkey takes an object, such as { baseUrl: "http://localhost:3000/auth" }.';
      await expect(createLatchkey(untyped(given))).rejects.toThrow(sentence);
    },
  );

  test("a URL that is an object isn't shown as if it were right", async () => {
    const baseUrl = untyped(new URL("http://localhost:3000/auth"));
    await expect(createLatchkey({ databaseUrl: database.url, baseUrl })).rejects.toThrow("(got an object)");
  });

  const acme = { id: "acme", clientId: "a", clientSecret: "b" };
  const LIKE = 'takes, as the option oidc, a list like [{ id: "google", clientId: "…", clientSecret: "…" }]';
  test.each<[string, object, string]>([
    ["named like the variable", { oidcProviders: [acme] }, "did you mean oidc?"],
    ["that are names, as in the environment", { oidc: "acme" }, LIKE],
    ["that aren't a list", { oidc: acme }, LIKE],
    ["without an id", { oidc: [{ ...acme, id: undefined }] }, LIKE],
    [
      "with a field that doesn't exist",
      { oidc: [{ ...acme, clientID: "c" }] },
      "sites with id, clientId, clientSecret, issuer, name and trustAmr (got clientID)",
    ],
  ])("sites to sign in with, in code, %s, are refused with what to write", async (_how, given, sentence) => {
    await expect(createLatchkey({ databaseUrl: database.url, ...given })).rejects.toThrow(sentence);
  });

  test("in Next.js, anything that onFirstUse didn't make is refused, and so is a missing page", async () => {
    const remedy = "export const latchkey = onFirstUse(() => createLatchkey(";
    for (const wrong of [latchkey, Promise.resolve(latchkey), undefined].map(untyped)) {
      expect(() => inNext.mount(wrong)).toThrow(remedy);
      expect(() => inNext.withSession(wrong, () => Response.json({}))).toThrow(remedy);
      await expect(inNext.requireSession(wrong, "/private")).rejects.toThrow(remedy);
      expect(() => inNext.onFirstUse(wrong)).toThrow(remedy);
    }
    const onFirstUse = async () => latchkey;
    await expect(inNext.requireSession(onFirstUse, untyped(undefined))).rejects.toThrow(
      'the page to come back to, such as requireSession(latchkey, "/private")',
    );
  });
});

/** Apps that check every request, but don't serve Latchkey's pages. */
const UNMOUNTED = { Express: onExpress, Fastify: onFastify, Hono: onHono, "node:http": onNode };

describe("An app that checks sessions and doesn't serve the login page", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
  });
  afterAll(() => database.drop());

  test.each(["Express", "Fastify", "Hono", "node:http"] as const)(
    "in %s, says so instead of redirecting a browser in circles",
    async (name) => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const origin = `http://localhost:${port}`;
      const latchkey = await createLatchkey({
        baseUrl: `${origin}/auth`,
        databaseUrl: database.url,
        logLevel: "silent",
      });
      try {
        server.on("request", await UNMOUNTED[name](latchkey));
        const first = await fetch(`${origin}/notes`, { headers: NAVIGATION, redirect: "manual" });
        expect(first.headers.get("location")).toContain(`${origin}/auth/login?`);
        const login = await fetch(first.headers.get("location") ?? "", {
          headers: NAVIGATION,
          redirect: "manual",
        });
        expect([login.status, await login.text()]).toEqual([
          500,
          expect.stringContaining("Nothing in this app answers /auth/login"),
        ]);
        // A page of that name on another host is the app's own: Latchkey's is where its base URL says.
        const elsewhere = await fetch(`http://127.0.0.1:${port}/auth/login`, {
          headers: NAVIGATION,
          redirect: "manual",
        });
        expect(elsewhere.status).toBe(302);
      } finally {
        server.close();
        await latchkey.close();
      }
    },
  );
});

async function onExpress(latchkey: Latchkey): Promise<RequestListener> {
  return express().use(inExpress.requireSession(latchkey));
}

async function onFastify(latchkey: Latchkey): Promise<RequestListener> {
  const app = fastify();
  app.addHook("onRequest", inFastify.requireSession(latchkey));
  await app.ready();
  return app.routing.bind(app);
}

async function onHono(latchkey: Latchkey): Promise<RequestListener> {
  const { getRequestListener } = await import("@hono/node-server");
  return getRequestListener(new Hono().use(inHono.requireSession(latchkey)).fetch);
}

/** With Node's own request, as `authenticate` takes it too. */
async function onNode(latchkey: Latchkey): Promise<RequestListener> {
  return async (request, reply) => {
    const who = await latchkey.requireSession(request);
    if (!(who instanceof Response)) return reply.end(who.account.email);
    reply.writeHead(who.status, Object.fromEntries(who.headers));
    reply.end(await who.text());
  };
}
