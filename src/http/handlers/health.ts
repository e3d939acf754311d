import { json } from "../answers.ts";
import type { Call } from "../call.ts";
import { CLOCK_NOT_READY } from "../clock-watch.ts";

export async function getHealth(): Promise<Response> {
  return json(200, { status: "ok" });
}

/** Ready when the database answers and the clocks agree. */
export async function getReadiness({ parts }: Call): Promise<Response> {
  try {
    await parts.database.read.selectFrom("account").select("id").limit(1).execute();
    const aheadMs = await parts.clockAhead();
    if (Math.abs(aheadMs) >= CLOCK_NOT_READY) return json(503, { status: "clock", aheadMs });
    return json(200, { status: "ok" });
  } catch (error) {
    parts.log.warn({ err: error }, "The database does not answer.");
    return json(503, { status: "unavailable" });
  }
}
