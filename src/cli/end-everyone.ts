import type { Database } from "../database/database.ts";
import { endEveryone } from "../operator.ts";
import { createProgress } from "./progress.ts";

/** Ends every session of everyone, and shows how far it is. Returns how many. */
export async function endEveryoneShown(database: Database, now: number): Promise<number> {
  const { total } = await database.read
    .selectFrom("session")
    .select(({ fn }) => fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  const progress = createProgress("sessions");
  try {
    return await endEveryone({ database }, now, (ended) =>
      progress.show(ended / Math.max(1, Number(total)), ended),
    );
  } finally {
    progress.clear();
  }
}
