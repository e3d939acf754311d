import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { holdWrites } from "../support/databases/hold-writes.ts";
import { loadFirstSchema } from "../support/databases/old-database.ts";
import { latchkey } from "../support/servers/command-line.ts";

/** As long as another process takes to upgrade about 250,000 sessions. */
const UPGRADE_TAKES = 6_000;

test("A process that starts on an old file while another one upgrades it waits, and then starts", async () => {
  const sqlite = engineOf("sqlite");
  const database = await sqlite.createDatabase();
  await loadFirstSchema(database, sqlite);
  const file = new DatabaseSync(database.url.replace("sqlite:", ""));
  file.exec("pragma journal_mode = wal");
  file.close();
  const commit = await holdWrites(database, "");
  const started = latchkey(["accounts", "list"], {
    cwd: database.folder,
    env: { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: "ab".repeat(32) },
  });
  await wait(UPGRADE_TAKES);
  await commit();
  const { code, out, err } = await started;
  expect(code, err).toBe(0);
  expect(out).toMatch(/ada@example\.test/i);
  await database.drop();
});
