import dns from "node:dns";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { type Fault, FaultProxy } from "../support/databases/fault-proxy.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  isSignedIn,
  listOf,
  OTHER_PASSWORD,
  PASSWORD,
  signIn,
  signUp,
  trySignIn,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

describe("A PostgreSQL that goes away", () => {
  let proxy: FaultProxy;
  let server: TestServer;

  async function start(fault: Fault = "none"): Promise<void> {
    const database = await engineOf("postgres").createDatabase();
    proxy = await FaultProxy.start(new URL(database.url), fault);
    const url = proxy.through(database.url);
    server = await startServer({ engine: engineOf("postgres"), database: { ...database, url } });
  }
  beforeEach(() => start());
  afterEach(async () => {
    await server.close();
    await proxy.stop();
    await server.database.drop();
  });

  test("is 503 with the cookie kept, never signed out, and comes back by itself", async () => {
    const { client } = await signUp(server);
    proxy.fault = "refuse";
    proxy.cut();
    for (const path of ["/api/session", "/verify", "/api/sessions"]) {
      const answer = await client.get(path);
      expectRefusal(answer, 503, "unavailable");
      expect(answer.headers["retry-after"]).toBeTruthy();
    }
    expectRefusal(
      await client.post("/api/session", { email: "a@example.test", password: "x" }),
      503,
      "unavailable",
    );
    expect((await client.get("/readyz")).status).toBe(503);
    expect((await client.get("/healthz")).status).toBe(200);
    expect((await client.get("/settings/security", { Accept: "text/html" })).status).toBe(503);
    proxy.fault = "none";
    await expectSignedIn(client);
    expect((await client.get("/readyz")).status).toBe(200);
  });

  test("may be away at the start: the server answers 503 until it is there, and then sets it up", async () => {
    await server.close();
    await proxy.stop();
    await server.database.drop();
    await start("refuse");
    expect((await server.client().get("/readyz")).status).toBe(503);
    // What would have stopped the start isn't reported as a bug in a request.
    proxy.fault = "old server";
    const known = { email: "ada@example.test", password: PASSWORD };
    expectRefusal(await server.client().post("/api/session", known), 503, "unavailable");
    proxy.fault = "none";
    await expectSignedIn((await signUp(server)).client);
  });

  test("may be away at the start: what the key can't decrypt is reported once it is there", async () => {
    await turnOnTwoFactor(server, await signUp(server));
    proxy.fault = "refuse";
    proxy.cut();
    const other = await startServer({ engine: engineOf("postgres"), database: server.database });
    const { parts } = other.latchkey;
    const [look, warn] = [vi.spyOn(parts, "inBackground"), vi.spyOn(parts.log, "warn")];
    try {
      await expect.poll(() => look.mock.calls.length).toBeGreaterThan(0);
      await parts.settled();
      proxy.fault = "none";
      const told = [expect.stringContaining("second factors")];
      await expect.poll(() => warn.mock.calls).toContainEqual(told);
    } finally {
      await other.close();
    }
  });

  test("may have no address yet at the start, like a container that starts alongside the server", async () => {
    const { lookup } = dns;
    let alias = "postgres.invalid";
    const named = (name: string, ...more: unknown[]): void =>
      Reflect.apply(lookup, dns, [name === "postgres" ? alias : name, ...more]);
    const spy = vi.spyOn(dns, "lookup").mockImplementation(named as typeof lookup);
    const url = Object.assign(new URL(server.database.url), { hostname: "postgres" }).href;
    const options = { engine: engineOf("postgres"), database: { ...server.database, url } };
    const other = await startServer(options);
    try {
      expect((await other.client().get("/readyz")).status).toBe(503);
      await expect(other.latchkey.sessions.list("an account")).rejects.toThrow(
        "DATABASE_URL: the server's name is not known (getaddrinfo ",
      );
      alias = "127.0.0.1";
      expect((await other.client().get("/readyz")).status).toBe(200);
    } finally {
      spy.mockRestore();
      await other.close();
    }
  });

  test("that doesn't answer leads to 503 after a time limit, instead of waiting for ever", async () => {
    const { client } = await signUp(server);
    proxy.fault = "hang";
    const began = Date.now();
    expectRefusal(await client.get("/api/session"), 503, "unavailable");
    expect(Date.now() - began).toBeLessThan(25_000);
    proxy.fault = "none";
    await expectSignedIn(client);
  });

  test("that breaks the connection between a commit and its answer has done all of it, and revives no ended session", async () => {
    const person = await signUp(server);
    for (let round = 0; round < 5; round++) {
      const other = await signIn(server, person, UA.firefoxWindows);
      proxy.fault = "swallow commit answers";
      expectRefusal(await person.client.delete(`/api/sessions/${other.session.id}`), 503, "unavailable");
      proxy.fault = "none";
      expect(await isSignedIn(other.client)).toBe(false);
      const [row] = await server.database.read(
        `select (select count(*) from ended_session where session_id = '${other.session.id}') as ended, (select count(*) from session where id = '${other.session.id}') as living`,
      );
      expect([Number(row?.ended), Number(row?.living)]).toEqual([1, 0]);
    }
  });

  test("that cuts the line after any commit of a password change has done all of that step or nothing", async () => {
    let changed = 0;
    for (let commitsFirst = 0; ; commitsFirst++) {
      const person = await signUp(server);
      const other = await signIn(server, person, UA.firefoxWindows);
      Object.assign(proxy, { fault: "swallow commit answers", commitsFirst });
      const answer = await person.client.put("/api/account/password", {
        currentPassword: PASSWORD,
        newPassword: OTHER_PASSWORD,
      });
      proxy.fault = "none";
      const works = async (password: string) =>
        (await trySignIn(server.client(UA.edgeWindows), { email: person.email, password })).status === 201;
      const isNew = await works(OTHER_PASSWORD);
      expect([await works(PASSWORD), await isSignedIn(other.client)]).toEqual([!isNew, !isNew]);
      if (isNew) {
        changed += 1;
        await expectSignedOut(other.client, "password_changed");
      }
      if (answer.status === 204) break;
      // The right current password is a separate step: if it got that far, the cookie is a new one.
      expect(answer.body).toMatchObject({ status: 503, code: "unavailable" });
      if (answer.setCookies.length > 0) await expectSignedIn(person.client);
    }
    expect(changed).toBeGreaterThanOrEqual(2);
  });

  test("that breaks the connection after any commit of a sign-in leaves one session per browser, which the next one replaces", async () => {
    const person = await signUp(server);
    let older = await signIn(server, person, UA.firefoxWindows);
    for (let commitsFirst = 0; ; commitsFirst++) {
      Object.assign(proxy, { fault: "swallow commit answers", commitsFirst });
      const browser = server.client(UA.firefoxWindows);
      const answer = await trySignIn(browser, person);
      proxy.fault = "none";
      if (answer.status === 201) break;
      expectRefusal(answer, 503, "unavailable");
      const rows = (await listOf(person.client)).filter(({ label }) => label === "Firefox on Windows");
      expect(rows).toHaveLength(1);
      const isOlder = rows[0]?.id === older.session.id;
      expect(await isSignedIn(older.client)).toBe(isOlder);
      if (!isOlder) await expectSignedOut(older.client, "replaced");
      older = await signIn(server, person, UA.firefoxWindows);
      expect(await listOf(person.client)).toHaveLength(2);
    }
  });

  test("tells a live stream what it missed once the connection is back", async () => {
    const person = await signUp(server);
    const other = await signIn(server, person, UA.firefoxWindows);
    const live = await other.client.live();
    const direct = await startServer({
      engine: engineOf("postgres"),
      database: {
        ...server.database,
        url: Object.assign(new URL(server.database.url), { port: new URL(inject("postgresUrl") ?? "").port })
          .href,
      },
      secretKey: server.secretKey,
    });
    proxy.fault = "refuse";
    proxy.cut();
    const elsewhere = direct.client();
    expectStatus(201, await elsewhere.post("/api/session", { email: person.email, password: PASSWORD }));
    expectNoContent(await elsewhere.delete(`/api/sessions/${other.session.id}`));
    proxy.fault = "none";
    let event = await live.next(10_000);
    while (event.event === "sessions-changed") event = await live.next(10_000);
    expect(event).toMatchObject({ event: "signed-out", data: { reason: "signed_out_remotely" } });
    await direct.close();
  });
});
