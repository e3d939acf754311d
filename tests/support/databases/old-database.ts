import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { migrationsOf } from "../../../src/database/migrations.ts";
import type { Engine, TestDatabase } from "./engines.ts";

/** Puts a database with the first released schema where the server will look for it. */
export async function loadFirstSchema(database: TestDatabase, engine: Engine): Promise<void> {
  const file = new URL(`../../fixtures/schema-1.${engine.name}.sql`, import.meta.url);
  await run(database, engine, readFileSync(file, "utf8"));
}

/** The same, brought up to a later schema by its own migrations, which never change; then `rows` are added. */
export async function loadSchema(
  database: TestDatabase,
  engine: Engine,
  version: number,
  rows: string,
): Promise<void> {
  await loadFirstSchema(database, engine);
  const later = migrationsOf(engine.name).filter((one) => one.version > 1 && one.version <= version);
  const counted = later.map((one) =>
    engine.name === "sqlite"
      ? `pragma user_version = ${one.version};`
      : `insert into latchkey_schema (version) values (${one.version});`,
  );
  const steps = later.map(({ sql }, index) => `${sql}\n${counted[index]}`);
  await run(database, engine, [...steps, rows].join("\n"));
}

async function run(database: TestDatabase, { name }: Engine, sql: string): Promise<void> {
  if (name === "postgres") {
    await database.read(sql);
    return;
  }
  const open = new DatabaseSync(database.url.replace("sqlite:", ""));
  open.exec(sql);
  open.close();
}
