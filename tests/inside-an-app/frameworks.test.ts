import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeToken } from "../../src/sessions/token.ts";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import { exchangeBytes } from "../support/requests/exchange.ts";
import { expectNoContent, expectRefusal } from "../support/requests/expectations.ts";
import { freshEmail, isSignedIn, PASSWORD, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { frameworks, startApp, type TestApp } from "../support/servers/apps.ts";
import { deadPort, freePort } from "../support/servers/free-port.ts";

const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

describe.each(Object.entries(frameworks))("Inside an app of %s", (name, build) => {
  let database: TestDatabase;
  let server: TestApp;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    server = await startApp(build, database);
  });
  afterAll(async () => {
    await server.close();
    await database.drop();
  });

  test("a signed-in person reaches the app, typed", async () => {
    const { client, email, session } = await signUp(server);
    const answer = await server.app(client).get("/notes?page=2");
    expect(answer.status, answer.text).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({ email, session: session.id });
  });

  test("a device that another one logged out is refused at its very next request, and hears why", async () => {
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    expect((await server.app(other.client).get("/notes")).status).toBe(200);
    expectNoContent(await person.client.delete(`/api/sessions/${other.session.id}`));
    const answer = await server.app(other.client).get("/notes");
    expectRefusal(answer, 401, "signed_out");
    expect(answer.body).toMatchObject({ reason: "signed_out_remotely", by: "Chrome on Mac OS" });
  });

  test("a browser that opens a page is sent to the login page and back; anything else gets 401", async () => {
    const nobody = server.app(server.client());
    const page = await nobody.get("/notes?page=2", NAVIGATION);
    expect(page.status).toBe(302);
    const back = encodeURIComponent(server.baseUrl.replace("/auth", "/notes?page=2"));
    expect(header(page, "location")).toBe(`${server.baseUrl}/login?next=${back}`);
    expect(header(page, "cache-control")).toBe("no-store");
    const form = await nobody.post("/notes", {}, NAVIGATION);
    expect([form.status, header(form, "location")]).toEqual([303, `${server.baseUrl}/login`]);
    expectRefusal(await nobody.get("/notes"), 401, "signed_out");
  });

  test("a path that points elsewhere is never where the login leads back to", async () => {
    const nobody = server.app(server.client());
    for (const path of ["//evil.test/notes", "/\\evil.test"]) {
      const sent = await nobody.get(path, NAVIGATION);
      // No framework takes it for a page of the app; one refuses it outright. Nobody is redirected.
      expect([400, 404], path).toContain(sent.status);
      expect(sent.headers.location, path).toBeUndefined();
    }
  });

  test("a path that begins with two slashes is checked like any other, and the login leads back to it", async () => {
    const app = await startApp(build, database, { manner: { checksAll: "onRequest" } });
    try {
      const nobody = app.app(app.client());
      for (const path of ["//", "//[", "//evil.test/notes?page=2"]) {
        const sent = await nobody.get(path, NAVIGATION);
        const next = header(sent, "location")?.replace(`${app.baseUrl}/login?next=`, "") ?? "none";
        const itself = `${new URL(app.baseUrl).origin}${path}`;
        expect([sent.status, decodeURIComponent(next)], path).toEqual([302, new URL(itself).href]);
        expectRefusal(await nobody.get(path), 401, "signed_out");
      }
    } finally {
      await app.close();
    }
  });

  test("an invalid Host is refused by Latchkey's own pages and routes, and makes no check fail", async () => {
    const nobody = server.client();
    for (const host of ["999.1.1.1", "abcde@9"])
      for (const path of ["/verify", "/settings/security", "/api/session"])
        expectRefusal(await nobody.get(path, { Host: host }), 400, "unreadable_request");
    const checked = await server.app(nobody).get("/notes", { Host: "999.1.1.1", ...NAVIGATION });
    expect([checked.status, header(checked, "location")]).toEqual([
      302,
      expect.stringContaining(`${server.baseUrl}/login`),
    ]);
  });

  // A Hono app's own server creates the Request: one without a Host never reaches the app.
  test.skipIf(name === "Hono")("a request without a Host is answered, as HTTP/1.0 allows", async () => {
    const answer = await exchangeBytes(server.port, "GET /auth/healthz HTTP/1.0\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  });

  test("a request with an absolute URL is answered like one with the path alone", async () => {
    const line = `GET http://localhost:${server.port}/auth/healthz HTTP/1.1`;
    const answer = await exchangeBytes(
      server.port,
      `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  });

  test("pages, their files and the live stream are served, and only below the base path", async () => {
    const { client } = await signUp(server);
    const page = await server.client().get("/login", NAVIGATION);
    expect(page.status).toBe(200);
    const [, script = ""] = /src="([^"]+\.js)"/.exec(page.text) ?? [];
    expect(script).toMatch(/^\/auth\/assets\//);
    expect((await server.app(client).get(script)).status).toBe(200);
    const live = await client.live();
    expectNoContent(await client.delete("/api/session"));
    expect(await live.nextOf("signed-out")).toMatchObject({ data: { reason: "signed_out" } });
    expect((await server.app(client).get("/login")).status).toBe(404);
    expect((await server.app(client).get("/authentic")).status).toBe(404);
  });

  test("a streamed answer of the app stays streamed", async () => {
    const second = Promise.withResolvers<string>();
    async function* texts() {
      yield "one";
      yield await second.promise;
    }
    const app = await startApp(build, database, { manner: { texts } });
    try {
      const { client } = await signUp(app);
      const url = app.baseUrl.replace("/auth", "/stream");
      const { body } = await fetch(url, { headers: { Cookie: client.jar.header() } });
      const pieces = (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
      expect((await pieces.read()).value).toBe("one");
      second.resolve("two");
      expect((await pieces.read()).value).toBe("two");
      expect((await pieces.read()).done).toBe(true);
    } finally {
      await app.close();
    }
  });

  test("a change without a body may have a JSON content type", async () => {
    const headers = { "Content-Type": "application/json" };
    const { client } = await signUp(server);
    expect((await client.delete("/api/sessions", undefined, headers)).status).toBe(200);
    expectNoContent(await client.delete("/api/session", undefined, headers));
  });

  test("the app's own bodies are its own", async () => {
    const answer = await server.app(server.client()).post("/open", { note: "milk" });
    expect(JSON.parse(answer.text)).toEqual({ note: "milk" });
  });

  test("a body that is too large or isn't JSON is refused as anywhere", async () => {
    const client = server.client();
    expectRefusal(await client.send("POST", "/api/session", { body: "{" }), 400, "invalid_json");
    expectRefusal(await client.post("/api/session", { email: "a".repeat(70_000) }), 413, "too_large");
  });

  test("a database that is down is 503 in the app too, and nobody is signed out", async () => {
    const nowhere = `postgres://nobody:x@127.0.0.1:${await deadPort()}/none`;
    const down = await startApp(build, { url: nowhere, folder: database.folder });
    try {
      const browser = down.client();
      browser.token = makeToken();
      const answer = await down.app(browser).get("/notes");
      expectRefusal(answer, 503, "unavailable");
      expect(header(answer, "retry-after")).toBe("2");
      const page = await down.app(browser).get("/notes", NAVIGATION);
      expect(page.status).toBe(503);
      // People know the site by its own name.
      expect(page.text).toContain("The server can't answer right now; nobody was logged out.");
    } finally {
      await down.close();
    }
  });

  test("if it is mounted where nothing would reach it, it says what to change", async () => {
    const misplaced = () => startApp(build, database, { manner: { below: "/account" } });
    const sentence = /mounted below \/account, but its base URL says \/auth/;
    if (name === "Fastify") {
      await expect(misplaced()).rejects.toThrow(sentence);
      return;
    }
    const app = await misplaced();
    try {
      const answer = await app.app(app.client()).get("/account/login");
      expect([answer.status, answer.text]).toEqual([500, expect.stringMatching(sentence)]);
    } finally {
      await app.close();
    }
  });

  test("a base URL without a path is refused at the start, with one that works", async () => {
    const port = await freePort();
    const rooted = startApp(build, database, { baseUrl: `http://localhost:${port}` });
    await expect(rooted).rejects.toThrow(
      `give createLatchkey a baseUrl such as http://localhost:${port}/auth`,
    );
  });

  test("mounted below a prefix of its base path, it works all the same", async () => {
    const app = await startApp(build, database, { manner: { below: "/auth" } });
    try {
      expect(await isSignedIn((await signUp(app)).client)).toBe(true);
      // Nothing is there, but nothing is wrong with the app.
      expect((await app.app(app.client()).get("/AUTH/healthz")).status).toBe(404);
    } finally {
      await app.close();
    }
  });
});

describe.each(["Express", "Fastify", "Hono"] as const)("Behind a body parser of %s", (name) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
  });
  afterAll(() => database.drop());

  test("sign-up and sign-in work although the body was read", async () => {
    const app = await startApp(frameworks[name], database, { manner: { readsBodies: "json" } });
    try {
      const person = await signUp(app);
      const { client } = await signIn(app, person, UA.edgeWindows);
      expect(await isSignedIn(client)).toBe(true);
    } finally {
      await app.close();
    }
  });
});

test.each(["Express", "Hono"] as const)(
  "In %s, an app that swallows the body is told where to mount, instead of a sign-in that hangs",
  async (name) => {
    const database = await engineOf("sqlite").createDatabase();
    const app = await startApp(frameworks[name], database, { manner: { readsBodies: "and keeps nothing" } });
    try {
      const answer = await app
        .app(app.client())
        .post("/auth/api/session", { email: freshEmail(), password: PASSWORD });
      expect([answer.status, answer.text]).toEqual([
        500,
        expect.stringContaining("Move app.use(mount(latchkey)) above it"),
      ]);
    } finally {
      await app.close();
      await database.drop();
    }
  },
);
