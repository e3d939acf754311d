import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { availableParallelism, getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { Client } from "../support/requests/client.ts";
import { expectStatus, freshEmail, listOf, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { latchkey, type Serving, serve } from "../support/servers/command-line.ts";
import { freePort } from "../support/servers/free-port.ts";

describe("a server and the command line on one database", () => {
  let cwd = "";
  let port = 0;
  let server: Serving;
  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), "latchkey-serve-"));
    port = await freePort();
    server = await serve({ cwd, env: { PORT: String(port) } });
  });
  afterEach(async () => {
    await server.stop();
    rmSync(cwd, { recursive: true, force: true });
  });
  const browser = (userAgent?: string) =>
    new Client({ baseUrl: `http://localhost:${port}`, port, userAgent });

  it("says where it is ready, in one line", () => {
    expect(server.line).toBe(`Latchkey is ready at http://localhost:${port}\n`);
  });

  it("ends a session at its very next request, and its open page hears of it", async () => {
    const client = browser();
    expectStatus(201, await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD }));
    const [session] = await listOf(client);
    const live = await client.live();
    expect(await latchkey(["sessions", "end", session?.id ?? ""], { cwd })).toMatchObject({ code: 0 });
    expect((await client.get("/api/session")).body).toMatchObject({
      code: "signed_out",
      reason: "signed_out_remotely",
      by: "an administrator",
    });
    const event = await live.next();
    expect(event).toMatchObject({ event: "signed-out" });
  });

  it("knows of a suspended account at once, and lets its owner in again after the suspension", async () => {
    const email = freshEmail();
    const client = browser();
    expectStatus(201, await client.post("/api/accounts", { email, password: PASSWORD }));
    await latchkey(["accounts", "suspend", email], { cwd });
    expect((await client.get("/api/session")).body).toMatchObject({ reason: "account_closed" });
    expect(await client.post("/api/session", { email, password: PASSWORD })).toMatchObject({ status: 403 });
    expect(await client.post("/api/session", { email, password: "wrong password" })).toMatchObject({
      status: 401,
    });
    await latchkey(["accounts", "restore", email], { cwd });
    expectStatus(201, await client.post("/api/session", { email, password: PASSWORD }));
  });

  it("ends everyone's sessions, of all accounts", async () => {
    const clients = [browser(UA.chromeMac), browser(UA.firefoxWindows)];
    for (const client of clients) {
      expectStatus(201, await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD }));
    }
    expect(await latchkey(["sessions", "end-all", "--everyone"], { cwd })).toMatchObject({
      code: 0,
      out: "Ended 2 sessions.\n",
    });
    for (const client of clients) expect((await client.get("/api/session")).status).toBe(401);
  });

  it.skipIf(process.platform !== "linux")(
    "hashes passwords in threads that give way to the one that answers requests: at least one for each core",
    async () => {
      const client = browser();
      expectStatus(201, await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD }));
      const { pid = 0 } = server.child;
      const named = (thread: string) => readFileSync(`/proc/${pid}/task/${thread}/comm`, "utf8").trim();
      const ofPool = readdirSync(`/proc/${pid}/task`).filter((thread) => named(thread) === "libuv-worker");
      expect(ofPool.length).toBeGreaterThan(availableParallelism());
      expect(ofPool.map((thread) => getPriority(Number(thread)) > getPriority(pid))).toEqual(
        ofPool.map(() => true),
      );
    },
  );

  it("says in one line that the port is taken", async () => {
    const other = mkdtempSync(join(tmpdir(), "latchkey-serve-"));
    const { code, err } = await latchkey(["serve"], { cwd: other, env: { PORT: String(port) } });
    expect(code).toBe(1);
    expect(err.trim()).toBe(`Port ${port} is taken. Stop the other program, or set PORT.`);
    rmSync(other, { recursive: true, force: true });
  });

  it("refuses to restore while a server runs", async () => {
    await latchkey(["backup", "b.db"], { cwd });
    expect(await latchkey(["restore", "b.db"], { cwd })).toMatchObject({
      code: 1,
      err: expect.stringContaining("Stop the server"),
    });
  });

  it("finishes what is under way before it stops, however often it is told to, and waits for no idle connection", async () => {
    const client = browser();
    expectStatus(201, await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD }));
    const live = await client.live();
    const [bare, half] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    for (const socket of [bare, half]) socket.on("error", () => {});
    await Promise.all([once(bare, "connect"), once(half, "connect")]);
    half.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
    const body = JSON.stringify({ email: freshEmail(), password: PASSWORD });
    const slow = request({
      port,
      method: "POST",
      path: "/api/accounts",
      agent: new Agent({ keepAlive: true }),
    });
    // The server reports once it has the request.
    slow.setHeader("Content-Type", "application/json").setHeader("Content-Length", body.length);
    slow.setHeader("Expect", "100-continue").flushHeaders();
    await once(slow, "continue");
    slow.write(body.slice(0, 10));
    const answered = once(slow, "response");
    const stopped = server.stop();
    await live.closed();
    for (const signal of ["SIGTERM", "SIGINT"] as const) server.child.kill(signal);
    slow.end(body.slice(10));
    const [answer] = (await answered) as [IncomingMessage];
    expect([answer.statusCode, answer.headers.connection]).toEqual([201, "close"]);
    answer.resume();
    const outcome = await Promise.race([stopped, wait(6_000).then(() => "still running")]);
    expect(outcome).toBe(0);
    server = await serve({ cwd, env: { PORT: String(port) } });
  });

  it("stops as cleanly when its terminal is closed, with 0", async () => {
    const closed = once(server.child, "close");
    server.child.kill("SIGHUP");
    expect(await closed).toEqual([0, null]);
  });

  it("stops cleanly: streams closed, last-used times written, exit 0", async () => {
    const client = browser();
    expectStatus(201, await client.post("/api/accounts", { email: freshEmail(), password: PASSWORD }));
    await client.live();
    const used = (await listOf(client))[0]?.lastUsedAt ?? "";
    expect(await server.stop()).toBe(0);
    const open = new DatabaseSync(join(cwd, "latchkey-data", "latchkey.db"), { readOnly: true });
    const written = Number(open.prepare("select last_used_at as at from session").get()?.at);
    open.close();
    expect(written).toBeGreaterThanOrEqual(Date.parse(used));
    server = await serve({ cwd, env: { PORT: String(port) } });
    expect((await client.get("/api/session")).status).toBe(200);
  });
});

test.skipIf(process.platform === "win32")(
  "npm start, told to stop, stops the server as cleanly, with 0",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-npm-"));
    const port = await freePort();
    const child = spawn("npm", ["start"], {
      cwd: join(import.meta.dirname, "..", ".."),
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        PORT: String(port),
        DATABASE_URL: `sqlite:${join(folder, "latchkey.db")}`,
        LATCHKEY_OUTBOX: join(folder, "outbox"),
      },
    });
    for (let said = ""; !said.includes("Latchkey is ready"); )
      said += String((await once(child.stdout, "data"))[0]);
    // Only npm gets it, as under a supervisor that signals only the process that it started.
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    await expect(fetch(`http://localhost:${port}/healthz`)).rejects.toThrow();
    rmSync(folder, { recursive: true, force: true });
  },
);
