import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../../../tests/support/databases/engines.ts";
import { MAY_BE_LOST, type Write } from "../database.ts";
import { openSqlite } from "./sqlite.ts";

const WAITS = 2;
const DOES_NOT_WAIT = 1;

let home: TestDatabase;
let file: string;

beforeEach(async () => {
  home = await engineOf("sqlite").createDatabase();
  file = home.url.slice("sqlite:".length);
});
afterEach(() => home.drop());

/** The value of SQLite's `synchronous` setting in a transaction. */
async function synchronous({ query }: Write): Promise<number | undefined> {
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(query);
  return rows[0]?.synchronous;
}

test("a commit waits for the disk, except where it may be lost; one after it waits again, also where it failed", async () => {
  const database = openSqlite(file);
  const waits = (durability?: typeof MAY_BE_LOST) => database.write(synchronous, durability);
  expect(await waits()).toBe(WAITS);
  expect(await waits(MAY_BE_LOST)).toBe(DOES_NOT_WAIT);
  expect(await waits()).toBe(WAITS);
  const failed = database.write(() => Promise.reject(new Error("undone")), MAY_BE_LOST);
  await expect(failed).rejects.toThrow("undone");
  expect(await waits()).toBe(WAITS);
  const sideBySide = [waits(MAY_BE_LOST), waits(), waits(MAY_BE_LOST), waits()];
  expect(await Promise.all(sideBySide)).toEqual([DOES_NOT_WAIT, WAITS, DOES_NOT_WAIT, WAITS]);
  await database.close();
});

test("what is committed comes from the log into the file meanwhile; nothing is left of it at the end", async () => {
  const database = openSqlite(file);
  const before = statSync(file).size;
  await database.write(({ query }) =>
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
  await expect.poll(() => statSync(file).size).toBeGreaterThan(before + 100_000);
  await database.close();
  expect(existsSync(`${file}-wal`)).toBe(false);
});

test("a process that may have no threads writes all the same", async () => {
  const program = `import { openSqlite } from ${JSON.stringify(join(import.meta.dirname, "sqlite.ts"))};
    const open = openSqlite(${JSON.stringify(file)});
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
});
