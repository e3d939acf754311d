import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Kysely } from "kysely";
import { expect, test, vi } from "vitest";
import { DatabaseUnavailable } from "../database.ts";
import { sqliteDialect } from "./connection.ts";

class Counting extends DatabaseSync {
  readonly prepared: string[] = [];

  override prepare(sql: string) {
    this.prepared.push(sql);
    return super.prepare(sql);
  }
}

test("a statement is prepared once; one with a long list isn't held, or each length of it would stay in memory", async () => {
  const open = new Counting(":memory:");
  const query = new Kysely<{ note: { id: number } }>({ dialect: sqliteDialect(open) });
  await query.schema.createTable("note").addColumn("id", "integer").execute();
  const insert = (count: number) =>
    query
      .insertInto("note")
      .values(Array.from({ length: count }, (_, id) => ({ id })))
      .execute();
  const preparations = async (count: number) => {
    const before = open.prepared.length;
    await insert(count);
    await insert(count);
    return open.prepared.length - before;
  };
  expect(await preparations(1)).toBe(1);
  expect(await preparations(1_000)).toBe(2);
  const { total } = await query
    .selectFrom("note")
    .select(({ fn }) => fn.countAll().as("total"))
    .executeTakeFirstOrThrow();
  expect(total).toBe(2_002);
});

test("a limit is part of a statement's text: as a parameter it would have SQLite prepare it anew each time", async () => {
  const query = new Kysely<{ note: { id: number } }>({
    dialect: sqliteDialect(new DatabaseSync(":memory:")),
  });
  await query.schema.createTable("note").addColumn("id", "integer").execute();
  await query
    .insertInto("note")
    .values([{ id: 1 }, { id: 2 }, { id: 3 }])
    .execute();
  const page = query.selectFrom("note").select("id").orderBy("id").limit(2).offset(1);
  expect(page.compile().sql).toContain("limit 2 offset ?");
  expect(await page.execute()).toMatchObject([{ id: 2 }, { id: 3 }]);
});

test("writes that wait in line behind another program's give up together, not one after the other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-"));
  const file = join(folder, "latchkey.db");
  const other = new DatabaseSync(file);
  other.exec("create table note (id integer)");
  const query = new Kysely<{ note: { id: number } }>({ dialect: sqliteDialect(new DatabaseSync(file)) });
  const write = () =>
    query.transaction().execute((one) => one.insertInto("note").values({ id: 1 }).execute());
  const clock = vi.spyOn(performance, "now").mockReturnValue(0);
  other.exec("begin immediate");
  const early = [write(), write(), write()];
  await nextTurn();
  clock.mockReturnValue(9_000);
  const late = write();
  await nextTurn();
  clock.mockReturnValue(10_000);
  const ends = await Promise.allSettled(early);
  expect(ends.map((end) => end.status === "rejected" && end.reason)).toEqual(
    early.map(() => expect.any(DatabaseUnavailable)),
  );
  other.exec("rollback");
  await late;
  clock.mockRestore();
  await query.destroy();
  rmSync(folder, { recursive: true });
});
