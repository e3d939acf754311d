import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const SOURCE = join(import.meta.dirname, "..", "src");
const DOOR = join("sessions", "endings.ts");

/** Whatever ends a session in the database: Kysely's way, or plain SQL; an account's deletion cascades to none. */
const ENDS =
  /deleteFrom\(\s*["'`]session["'`]|delete\s+from\s+"?session"?\b|truncate\s+(table\s+)?"?session"?\b/i;

it("only the door of endings deletes sessions", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.(ts|tsx|sql)$/.test(file),
  );
  const found = files.filter((file) => ENDS.test(readFileSync(join(SOURCE, file), "utf8")));
  expect(found).toEqual([DOOR]);
});

it("no foreign key takes sessions along when an account goes", () => {
  const folder = join(SOURCE, "database", "migrations");
  const tables = readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    return [...text.matchAll(/create table session \(([\s\S]*?)\n\)/g)].map(([, columns]) => ({
      file,
      columns,
    }));
  });
  expect(new Set(tables.map(({ file }) => file.split(".").at(-2)))).toEqual(new Set(["postgres", "sqlite"]));
  for (const { columns } of tables) {
    expect(columns).toMatch(/account_id/);
    expect(columns).not.toMatch(/cascade/i);
  }
});
