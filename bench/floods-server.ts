import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { sql } from "kysely";
import { listen } from "../src/http/listen.ts";
import { createLatchkey } from "../src/index.ts";

/** What a measurement can ask of the server that it floods. */
export type Asked =
  | { what: "measure" }
  | { what: "plant sessions"; accountId: string; many: number }
  | { what: "import password"; accountId: string; password: string; cost: number };
export type Told = { streams: number; megabytes: number };

/**
 * The server of `bench/floods.ts` and `bench/scan.ts`: a separate process on the embedded database. Takes
 * `on` or `off` for its limits, and a port (default: any that is free).
 */
const folder = mkdtempSync(join(tmpdir(), "latchkey-floods-"));
const rateLimits = process.argv[2] === "off" ? "off" : "on";
const latchkey = await createLatchkey({
  baseUrl: "http://localhost:3999",
  databaseUrl: `sqlite:${join(folder, "latchkey.db")}`,
  outbox: join(folder, "outbox"),
  logLevel: "silent",
  rateLimits,
});
const listening = await listen(latchkey, { port: Number(process.argv[3] ?? 0), host: "127.0.0.1" });
const { database, live } = latchkey.parts;

process.on("message", async (asked: Asked) => {
  if (asked.what === "plant sessions") await plant(asked.accountId, asked.many);
  if (asked.what === "import password") await importPassword(asked);
  const told: Told = { streams: live.size, megabytes: process.memoryUsage().rss / 2 ** 20 };
  process.send?.(told);
});
process.once("disconnect", async () => {
  await listening.close();
  await latchkey.close();
  rmSync(folder, { recursive: true, force: true });
});
process.send?.({ port: listening.port });

async function plant(accountId: string, many: number): Promise<void> {
  const now = Date.now();
  await database.write(({ query }) =>
    sql`with recursive n(n) as (select 1 union all select n + 1 from n where n < ${many})
      insert into session (token_hash, id, account_id, label, created_at, expires_at, last_used_at, signed_in_with, method_id, proved_at)
      select randomblob(32), 'planted-' || n, ${accountId}, 'Firefox on Linux', ${now}, ${now + 86_400_000}, ${now} - n, 'password', 'password', ${now} from n`.execute(
      query,
    ),
  );
}

async function importPassword({ accountId, password, cost }: Extract<Asked, { password: string }>) {
  await database.write(({ query }) =>
    query
      .updateTable("account")
      .set({ password_hash: `foreign:${hashSync(password, cost)}` })
      .where("id", "=", accountId)
      .execute(),
  );
}
