import type { TestDatabase } from "./engines.ts";

/**
 * Rows as somebody would search them who has the file: bytes as the text that they spell, and as hexadecimal.
 * `JSON.stringify` would make a list of numbers of them, in which no text is ever found.
 */
export function textOf(rows: readonly object[]): string {
  return rows.flatMap((row) => Object.values(row).map(textOfValue)).join("\n");
}

/** Every row of every table, in the same way. */
export async function allAtRest(database: TestDatabase): Promise<string> {
  const tables = database.url.startsWith("sqlite:")
    ? "select name from sqlite_master where type = 'table'"
    : "select table_name as name from information_schema.tables where table_schema = current_schema()";
  const names = (await database.read(tables)).map(({ name }) => String(name));
  const rows = await Promise.all(names.map((name) => database.read(`select * from "${name}"`)));
  return textOf(rows.flat());
}

function textOfValue(value: unknown): string {
  if (!(value instanceof Uint8Array)) return typeof value === "string" ? value : JSON.stringify(value);
  const bytes = Buffer.from(value);
  return `${bytes.toString("latin1")} ${bytes.toString("hex")}`;
}
