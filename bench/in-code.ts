import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { mount, requireSession } from "../src/adapters/hono.ts";
import { createLatchkey } from "../src/index.ts";

/**
 * `node bench/in-code.ts`, without a network: `authenticate` and `requireSession` in code against the HTTP
 * check, one at a time; then the CPU time of a request in a Hono app on Node, with 64 under way.
 */
const ROUNDS = 40;
const CHECKS = 2_000;
const AT_ONCE = 64;

const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
const base = "http://localhost:3000/auth";
const latchkey = await createLatchkey({
  baseUrl: base,
  databaseUrl: `sqlite:${join(folder, "latchkey.db")}`,
  outbox: join(folder, "outbox"),
  logLevel: "error",
});
const made = await latchkey.fetch(
  new Request(`${base}/api/accounts`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: "ada@example.test", password: "quartz-Lantern-burrow-58" }),
  }),
);
const [cookie = ""] = made.headers.getSetCookie()[0]?.split(";") ?? [];
const request = new Request(`${base}/verify`, { headers: { Cookie: cookie } });

const ways: Record<string, () => Promise<boolean>> = {
  "GET /verify": async () => (await latchkey.fetch(request)).status === 204,
  authenticate: async () => "account" in (await latchkey.authenticate(request)),
  requireSession: async () => "account" in (await latchkey.requireSession(request)),
};
const spent = new Map(Object.keys(ways).map((name) => [name, 0]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, check] of Object.entries(ways)) {
    const began = performance.now();
    for (let turn = 0; turn < CHECKS; turn++) if (!(await check())) throw new Error(`${name} refused.`);
    spent.set(name, (spent.get(name) ?? 0) + performance.now() - began);
  }
}
const http = spent.get("GET /verify") ?? 0;
for (const [name, ms] of spent) {
  const rate = Math.round((ROUNDS * CHECKS * 1_000) / ms);
  console.log(`${name}: ${rate} checks a second, ${(http / ms).toFixed(2)} × GET /verify`);
}
await measureInApp();
await latchkey.close();
rmSync(folder, { recursive: true, force: true });

async function measureInApp(): Promise<void> {
  const app = new Hono();
  // On Node, answers are built from the server's own Response class, which replaces the global one.
  createAdaptorServer({ fetch: app.fetch });
  app.get("/open", (context) => context.text("hello"));
  app.use(mount(latchkey));
  app.use(requireSession(latchkey));
  app.get("/guarded", (context) => context.text("hello"));
  const rawHeaders = ["Host", "localhost:3000", "Cookie", cookie];
  const env = { incoming: { rawHeaders, socket: { remoteAddress: "127.0.0.1" } } };
  const used = new Map(["/open", "/guarded", "/auth/verify"].map((path) => [path, 0]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [path, before] of used) {
      const asked = new Request(`http://localhost:3000${path}`, { headers: { Cookie: cookie } });
      const began = process.cpuUsage();
      for (let done = 0; done < CHECKS; done += AT_ONCE)
        await Promise.all(Array.from({ length: AT_ONCE }, async () => app.fetch(asked, env)));
      const { user, system } = process.cpuUsage(began);
      // The first round warms up.
      used.set(path, round === 0 ? 0 : before + user + system);
    }
  }
  const requests = ROUNDS * Math.ceil(CHECKS / AT_ONCE) * AT_ONCE;
  for (const [path, micros] of used)
    console.log(`${path}, ${AT_ONCE} at once: ${(micros / requests).toFixed(2)} µs of CPU time`);
}
