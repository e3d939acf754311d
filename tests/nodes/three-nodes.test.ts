import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrationsOf } from "../../src/database/migrations.ts";
import { engineOf } from "../support/databases/engines.ts";
import type { Client } from "../support/requests/client.ts";
import { expectNoContent } from "../support/requests/expectations.ts";
import { expectStatus, OTHER_PASSWORD, PASSWORD, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const NODES = 3;
const VERSIONS = migrationsOf("postgres").map(({ version }) => version);

describe("Three nodes on one PostgreSQL", () => {
  const servers: TestServer[] = [];
  beforeAll(async () => {
    const first = await startServer({ engine: engineOf("postgres"), rateLimits: "off" });
    servers.push(first);
    for (let node = 1; node < NODES; node++) {
      servers.push(
        await startServer({
          engine: engineOf("postgres"),
          rateLimits: "off",
          database: first.database,
          secretKey: first.secretKey,
        }),
      );
    }
  });
  afterAll(async () => {
    for (const server of servers.reverse()) await server.close();
  });

  const nodeAt = (node: number): TestServer => servers[node % NODES] as TestServer;
  const at = (node: number, token: string, agent?: string): Client => {
    const client = nodeAt(node).client(agent);
    client.token = token;
    return client;
  };

  test("an ending on one node closes the open page on another, with its reason", async () => {
    const person = await signUp(nodeAt(0));
    const times: number[] = [];
    for (let round = 0; round < 11; round++) {
      const other = nodeAt(1).client(UA.firefoxWindows);
      const signedIn = expectStatus(
        201,
        await other.post("/api/session", { email: person.email, password: PASSWORD }),
      );
      const live = await other.live();
      expectNoContent(await person.client.delete(`/api/sessions/${signedIn.body.session?.id}`));
      const answered = performance.now();
      let event = await live.next();
      while (event.event === "sessions-changed") event = await live.next();
      times.push(performance.now() - answered);
      expect(event).toMatchObject({
        event: "signed-out",
        data: { reason: "signed_out_remotely", by: "Chrome on Mac OS" },
      });
    }
    const median = times.sort((one, other) => one - other)[5] ?? Number.POSITIVE_INFINITY;
    console.log(
      `An open page on another node closed ${median.toFixed(1)} ms after the answer, at the median.`,
    );
  });

  test("a password change on one node leaves that device's page on another node open, and ends the others", async () => {
    const person = await signUp(nodeAt(0));
    const page = await at(1, person.client.token, UA.chromeMac).live();
    const other = nodeAt(2).client(UA.firefoxWindows);
    expectStatus(201, await other.post("/api/session", { email: person.email, password: PASSWORD }));
    const otherPage = await other.live();
    expectNoContent(
      await person.client.put("/api/account/password", {
        currentPassword: PASSWORD,
        newPassword: OTHER_PASSWORD,
      }),
    );
    let event = await otherPage.next();
    while (event.event === "sessions-changed") event = await otherPage.next();
    expect(event).toMatchObject({ data: { reason: "password_changed" } });
    expect((await page.next()).event).toBe("sessions-changed");
    expect((await at(2, person.client.token).get("/api/session")).status).toBe(200);
  });

  test("ten nodes that start at the same time on an empty database migrate it once", async () => {
    const database = await engineOf("postgres").createDatabase();
    const many = await Promise.all(
      Array.from({ length: 10 }, () => startServer({ engine: engineOf("postgres"), database })),
    );
    const versions = await database.read("select version from latchkey_schema order by version");
    expect(versions.map(({ version }) => version)).toEqual(VERSIONS);
    for (const server of many) {
      expect((await server.client().get("/readyz")).status).toBe(200);
      await server.close();
    }
    await database.drop();
  });

  test.each([
    [
      "a wrong password",
      (url: URL) => Object.assign(url, { username: "nobody", password: "wrong" }),
      /^DATABASE_URL: the server refused/,
    ],
    [
      "a database that isn't there",
      (url: URL) => Object.assign(url, { pathname: "/nowhere" }),
      /^DATABASE_URL: there is no such database/,
    ],
    [
      "TLS that it doesn't speak",
      (url: URL) => Object.assign(url, { search: "?sslmode=require" }),
      /^DATABASE_URL: the encrypted connection failed/,
    ],
  ])("%s stops the start with one line that names the setting", async (_what, change, words) => {
    const database = await engineOf("postgres").createDatabase();
    const url = change(new URL(database.url)).href;
    await expect(
      startServer({ engine: engineOf("postgres"), database: { ...database, url } }),
    ).rejects.toThrow(words);
    await database.drop();
  });

  test("a newer schema stops an older node with one clear line, and is left alone", async () => {
    const database = await engineOf("postgres").createDatabase();
    await (await startServer({ engine: engineOf("postgres"), database })).close();
    await database.read("insert into latchkey_schema (version) values (99)");
    await expect(startServer({ engine: engineOf("postgres"), database })).rejects.toThrow(
      `newer Latchkey (schema 99; this one knows up to ${VERSIONS.at(-1)})`,
    );
    await database.drop();
  });
});
