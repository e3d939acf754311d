import { type Database, DatabaseUnavailable } from "../database/database.ts";
import { endEveryone } from "../operator.ts";
import { createProgress } from "./progress.ts";

/** Ends every session of everyone, and shows how far it is. Returns how many. */
export async function endEveryoneShown(database: Database, now: number): Promise<number> {
  const total = await countSessions(database);
  const progress = createProgress("sessions");
  try {
    return await endEveryone({ database }, now, (ended) =>
      progress.show(total === null ? null : ended / Math.max(1, total), ended),
    );
  } finally {
    progress.clear();
  }
}

/** Null where PostgreSQL can't count them within its statement timeout: ending them doesn't need the number. */
async function countSessions({ read }: Database): Promise<number | null> {
  const count = read.selectFrom("session").select(({ fn }) => fn.countAll<number>().as("total"));
  try {
    return Number((await count.executeTakeFirstOrThrow()).total);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return null;
    throw error;
  }
}
