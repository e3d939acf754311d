import { type Database, DatabaseUnavailable } from "../database/database.ts";
import { endEveryone } from "../operator.ts";
import { createProgress } from "./progress.ts";

/** Ends every session of every account, with a progress bar. Returns how many ended. */
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

/** Null if PostgreSQL can't count them within its statement timeout: the number is only for the progress bar. */
async function countSessions({ read }: Database): Promise<number | null> {
  const count = read.selectFrom("session").select(({ fn }) => fn.countAll<number>().as("total"));
  try {
    return Number((await count.executeTakeFirstOrThrow()).total);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return null;
    throw error;
  }
}
