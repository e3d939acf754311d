import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../../../tests/support/databases/engines.ts";
import type { Database, Durability, Write } from "../database.ts";
import { openSqlite } from "./sqlite.ts";

const WAITS = 2;
const DOES_NOT_WAIT = 1;

let home: TestDatabase;
let database: Database;

beforeAll(async () => {
  home = await engineOf("sqlite").createDatabase();
  database = openSqlite(home.url.slice("sqlite:".length));
});
afterAll(async () => {
  await database.close();
  await home.drop();
});

/** What SQLite calls `synchronous`, as a transaction sees it. */
async function synchronous({ query }: Write): Promise<number | undefined> {
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(query);
  return rows[0]?.synchronous;
}

test("a commit waits for the disk, except where it may be lost; one after it waits again, also where it failed", async () => {
  const waits = (durability?: Durability) => database.write(synchronous, durability);
  expect(await waits()).toBe(WAITS);
  expect(await waits({ mayBeLost: true })).toBe(DOES_NOT_WAIT);
  expect(await waits()).toBe(WAITS);
  const failed = database.write(() => Promise.reject(new Error("undone")), { mayBeLost: true });
  await expect(failed).rejects.toThrow("undone");
  expect(await waits()).toBe(WAITS);
  const sideBySide = [waits({ mayBeLost: true }), waits(), waits({ mayBeLost: true }), waits()];
  expect(await Promise.all(sideBySide)).toEqual([DOES_NOT_WAIT, WAITS, DOES_NOT_WAIT, WAITS]);
});

test("what is committed comes from the log into the file meanwhile; nothing is left of it at the end", async () => {
  const other = await engineOf("sqlite").createDatabase();
  const path = other.url.slice("sqlite:".length);
  const open = openSqlite(path);
  const before = statSync(path).size;
  await open.write(({ query }) =>
    query
      .insertInto("attempts")
      .values(
        Array.from({ length: 500 }, (_, key) => ({
          key: `${key} ${"x".repeat(500)}`,
          count: 1,
          window_ends_at: 1,
        })),
      )
      .execute(),
  );
  await expect.poll(() => statSync(path).size).toBeGreaterThan(before + 100_000);
  await open.close();
  expect(existsSync(`${path}-wal`)).toBe(false);
  await other.drop();
});

test("a process that may have no threads writes all the same", async () => {
  const other = await engineOf("sqlite").createDatabase();
  const path = JSON.stringify(other.url.slice("sqlite:".length));
  const program = `import { openSqlite } from ${JSON.stringify(join(import.meta.dirname, "sqlite.ts"))};
    const open = openSqlite(${path});
    const rows = Array.from({ length: 500 }, (_, key) => ({ key: String(key), count: 1, window_ends_at: 1 }));
    const insert = (of) => open.write(({ query }) => query.insertInto("attempts").values(of).execute());
    await insert(rows.slice(0, 300));
    await insert(rows.slice(300));
    console.log((await open.read.selectFrom("attempts").selectAll().execute()).length);
    await open.close();`;
  const words = [
    "--permission",
    "--allow-fs-read=*",
    "--allow-fs-write=*",
    "--input-type=module",
    "-e",
    program,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  expect(stdout.trim()).toBe("500");
  await other.drop();
});
