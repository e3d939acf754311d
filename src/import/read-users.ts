import { type Found, type Source, SourceUnusable } from "./incoming.ts";
import { type OldDatabase, type OldRow, type OldTable, openOldDatabase, unreadable } from "./old-database.ts";

const USERS_A_PAGE = 200;

/** How a system's users are read, once its tables are found. */
type UserReader = {
  users: OldTable;
  columns: readonly string[];
  /** Reads a page of users, each with its rows in other tables. */
  read(users: readonly OldRow[]): Promise<Found[]>;
};

/** Finds the table with one of these names and all these columns. @throws SourceUnusable if there is none. */
export type Need = (names: readonly string[], columns: readonly string[]) => OldTable;

/** Opens an old database and reads its users page by page, in the order of their ids. */
export async function readUsers(
  place: string,
  system: string,
  begin: (need: Need, database: OldDatabase) => UserReader,
): Promise<Source> {
  const database = await openOldDatabase(place);
  try {
    const reader = begin((names, columns) => needTable(database, system, names, columns), database);
    const total = await reader.users.count();
    let done = 0;
    return {
      found: pages(reader, place, (count) => {
        done += count;
      }),
      share: () => done / Math.max(1, total),
      close: database.close,
    };
  } catch (error) {
    await database.close();
    throw unreadable(error, place);
  }
}

async function* pages(
  { users, columns, read }: UserReader,
  place: string,
  onRead: (count: number) => void,
): AsyncGenerator<Found> {
  let after: unknown;
  try {
    for (;;) {
      const page = await users.page(columns, after, USERS_A_PAGE);
      const found = await read(page);
      onRead(page.length);
      yield* found;
      if (page.length < USERS_A_PAGE) return;
      after = page.at(-1)?.id;
    }
  } catch (error) {
    throw unreadable(error, place);
  }
}

function needTable(
  database: OldDatabase,
  system: string,
  names: readonly string[],
  columns: readonly string[],
): OldTable {
  const table = database.table(...names);
  if (!table)
    throw new SourceUnusable(`The old database has no table "${names[0]}": its tables are not ${system}'s.`);
  const missing = columns.find((column) => !table.has(column));
  if (missing === undefined) return table;
  throw new SourceUnusable(`The old table "${names[0]}" has no column "${missing}": it is not ${system}'s.`);
}
