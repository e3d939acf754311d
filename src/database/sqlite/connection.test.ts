import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { expect, test } from "vitest";
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
