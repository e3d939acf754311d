import { afterEach, expect, test } from "vitest";
import { createApp } from "../../src/http/app.ts";
import { LiveStreams } from "../../src/sessions/live/live-streams.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectNoContent, expectTooMany } from "../support/requests/expectations.ts";
import type { LiveStream } from "../support/requests/live-stream.ts";
import { expectStatus, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const OF_A_SESSION = 20;
const CHANGES = 30;

describeOnEachEngine("Live streams", (engine) => {
  const server = serverFor(engine, { oidc: [{ id: "github", clientId: "id", clientSecret: "secret" }] });
  const open: LiveStream[] = [];
  const openAt = async (client: Client) => {
    const stream = await client.live();
    open.push(stream);
    return stream;
  };
  const size = () => server().latchkey.parts.live.size;
  afterEach(async () => {
    for (const stream of open.splice(0)) stream.close();
    await expect.poll(size).toBe(0);
  });

  test("HEAD is answered as GET is, and opens none", async () => {
    const { client } = await signUp(server());
    for (let asked = 0; asked < 30; asked++) {
      const answer = expectStatus(200, await client.send("HEAD", "/api/live"));
      expect(header(answer, "content-type")).toBe("text/event-stream");
      expect(header(answer, "cache-control")).toContain("no-store");
      expect(answer.text).toBe("");
      expect(size()).toBe(0);
    }
    expectStatus(401, await server().client().send("HEAD", "/api/live"));
    await openAt(client);
    expect(size()).toBe(1);
  });

  test("a session has 20 at once; the next one is told to wait until one of them is gone", async () => {
    const person = await signUp(server());
    const { client } = person;
    const other = await signIn(server(), person, UA.firefoxWindows);
    for (let opened = 0; opened < OF_A_SESSION; opened++) await openAt(client);
    await expect(openAt(client)).rejects.toThrow(/^429/);
    expectTooMany(await client.get("/api/live"));
    expect(size()).toBe(OF_A_SESSION);
    const others = await openAt(other.client);
    expect((await client.get("/api/session")).status).toBe(200);

    open[0]?.close();
    await expect.poll(size).toBe(OF_A_SESSION);
    await openAt(client);
    expectTooMany(await client.get("/api/live"));

    expectNoContent(await client.delete("/api/session"));
    await Promise.all(open.filter((one) => one !== others).map((one) => one.closed()));
    expect(size()).toBe(1);
  });

  test("a process has a maximum at once; past that, sessions that have none are told to come back later", async () => {
    const { parts } = server().latchkey;
    const live = new LiveStreams(
      parts,
      (error) => {
        throw error;
      },
      2,
    );
    const fetch = createApp({ ...parts, live }, null);
    const ask = async (method = "GET") => {
      const { client } = await signUp(server());
      return fetch(
        new Request(`${server().baseUrl}/api/live`, { method, headers: { Cookie: client.jar.header() } }),
      );
    };
    const first = await ask();
    const second = await ask();
    expect([first.status, second.status, live.size]).toEqual([200, 200, 2]);
    const third = await ask();
    expect(third.status).toBe(503);
    expect(third.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(await third.json()).toMatchObject({ code: "unavailable" });

    await first.body?.cancel();
    expect((await ask()).status).toBe(200);
    live.close();
  });

  test("a page that doesn't read its stream has one change waiting for it, however many there were", async () => {
    const { client, account } = await signUp(server());
    const { database } = server().latchkey.parts;
    const headers = { Cookie: client.jar.header() };
    const answer = await server().latchkey.fetch(new Request(`${server().baseUrl}/api/live`, { headers }));
    const unread = (answer.body as ReadableStream<Uint8Array>).getReader();
    const reading = await openAt(client);
    for (let change = 0; change < CHANGES; change++) {
      await database.write(async (write) => write.announce(account.id));
      await reading.nextOf("sessions-changed");
    }
    const next = async () => Buffer.from((await unread.read()).value ?? "").toString();
    expect(await next()).toContain("open");
    expect(await next()).toContain("event: sessions-changed");
    expectNoContent(await client.delete("/api/session"));
    let told = "";
    for (let read = await next(); read !== ""; read = await next()) told += read;
    expect(told.split("event: sessions-changed").length - 1).toBeLessThan(CHANGES / 5);
    expect(told).toMatch(/event: signed-out\n.*\n\n$/);
  });

  test("a page that waits for a change is told of it once", async () => {
    const { parts } = server().latchkey;
    const { client, account } = await signUp(server());
    let announce = (_accountId: string) => {};
    const onAnnouncement: typeof parts.database.onAnnouncement = (listener) => {
      announce = listener;
      return () => {};
    };
    const database = { ...parts.database, onAnnouncement };
    const live = new LiveStreams({ ...parts, database }, (error) => {
      throw error;
    });
    const asked = new Request(`${server().baseUrl}/api/live`, { headers: { Cookie: client.jar.header() } });
    const answer = await createApp({ ...parts, live }, null)(asked);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const next = async () => Buffer.from((await reader.read()).value ?? "").toString();
    expect(await next()).toContain("open");
    const told = next();
    announce(account.id);
    expect(await told).toContain("event: sessions-changed");
    live.close();
    expect(await next()).toBe("");
  });

  test("nor does HEAD begin or use up a sign-in with another site", async () => {
    const { client } = server();
    const browser = client();
    const rounds = () => server().database.read("select key_hash from ceremony");
    const asked = expectStatus(302, await browser.send("HEAD", "/api/oidc/github/start"));
    expect(asked.setCookies).toEqual([]);
    expect(await rounds()).toHaveLength(0);

    const begun = expectStatus(302, await browser.get("/api/oidc/github/start"));
    const state = new URL(header(begun, "location")).searchParams.get("state");
    expectStatus(302, await browser.send("HEAD", `/api/oidc/github/callback?state=${state}&code=x`));
    expect(await rounds()).toHaveLength(1);
  });
});
