import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLatchkey } from "../src/index.ts";

/** `node bench/in-code.ts`: `authenticate` and `requireSession` in code against the HTTP check, in turns, without a network. */
const ROUNDS = 40;
const CHECKS = 2_000;

const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
const base = "http://localhost:3000";
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
await latchkey.close();
rmSync(folder, { recursive: true, force: true });
