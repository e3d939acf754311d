import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const SOURCE = join(import.meta.dirname, "..", "src");
const DOOR = join("sessions", "endings.ts");

/**
 * Whatever ends a session in the database, through Kysely or in plain SQL; deleting an account doesn't
 * cascade to sessions.
 */
const ENDS =
  /deleteFrom\(\s*["'`]session["'`]|delete\s+from\s+"?session"?\b|truncate\s+(table\s+)?"?session"?\b/i;

it("only the module for endings deletes sessions", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.(ts|tsx|sql)$/.test(file),
  );
  const found = files.filter((file) => ENDS.test(readFileSync(join(SOURCE, file), "utf8")));
  expect(found).toEqual([DOOR]);
});

it("no foreign key deletes sessions along with an account", () => {
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
