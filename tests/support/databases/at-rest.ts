import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestDatabase } from "./engines.ts";

/**
 * Rows as someone with the file would search them: bytes as the text that they spell, and as hexadecimal.
 * `JSON.stringify` would turn them into a list of numbers, in which no text is ever found.
 */
export function textOf(rows: readonly object[]): string {
  return rows.flatMap((row) => Object.values(row).map(textOfValue)).join("\n");
}

/**
 * Every row of every table, in the same form, and the bytes of SQLite's own files: freed pages, the
 * write-ahead log.
 */
export async function allAtRest(database: TestDatabase): Promise<string> {
  const rows = (await tablesOf(database)).flatMap(([, found]) => found);
  return [textOf(rows), ...(await filesOf(database)).map(textOfValue)].join("\n");
}

/**
 * What is in each table, a row per line, in a fixed order, to be compared with what was there before. Without
 * the last use of a session, which any request may change, and what tells other nodes about that.
 */
export async function contentsOf(database: TestDatabase): Promise<Record<string, string[]>> {
  const lineOf = ({ last_used_at: _, ...row }: Record<string, unknown>) =>
    Object.values(row).map(shown).join(" | ");
  const tables = (await tablesOf(database)).filter(([name]) => name !== "session_change");
  return Object.fromEntries(tables.map(([name, rows]) => [name, rows.map(lineOf).sort()]));
}

async function tablesOf(database: TestDatabase): Promise<[string, Record<string, unknown>[]][]> {
  const tables = database.url.startsWith("sqlite:")
    ? "select name from sqlite_master where type = 'table'"
    : "select table_name as name from information_schema.tables where table_schema = current_schema()";
  const names = (await database.read(tables)).map(({ name }) => String(name));
  return Promise.all(
    names.map(
      async (name): Promise<[string, Record<string, unknown>[]]> => [
        name,
        await database.read(`select * from "${name}"`),
      ],
    ),
  );
}

const shown = (value: unknown) =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);

async function filesOf({ url }: TestDatabase): Promise<Buffer[]> {
  if (!url.startsWith("sqlite:")) return [];
  const file = url.slice("sqlite:".length);
  const names = (await readdir(dirname(file))).filter((name) => join(dirname(file), name).startsWith(file));
  if (names.length === 0) throw new Error(`${file} isn't there.`);
  return Promise.all(names.map((name) => readFile(join(dirname(file), name))));
}

function textOfValue(value: unknown): string {
  if (!(value instanceof Uint8Array)) return typeof value === "string" ? value : JSON.stringify(value);
  const bytes = Buffer.from(value);
  return `${bytes.toString("latin1")} ${bytes.toString("hex")}`;
}
