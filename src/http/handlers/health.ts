import { json } from "../answers.ts";
import type { Call } from "../call.ts";

/** A node whose clock is this far from the database's would judge expiry wrongly, in ms. */
const CLOCK_NOT_READY = 60_000;
const CLOCK_WARNS = 2_000;

export async function getHealth(): Promise<Response> {
  return json(200, { status: "ok" });
}

/** Ready when the database answers and the clocks agree. */
export async function getReadiness({ parts, now }: Call): Promise<Response> {
  try {
    await parts.database.read.selectFrom("account").select("id").limit(1).execute();
    const ahead = await parts.database.clockAhead(now);
    if (Math.abs(ahead) >= CLOCK_NOT_READY) return json(503, { status: "clock", aheadMs: Math.round(ahead) });
    if (Math.abs(ahead) >= CLOCK_WARNS)
      parts.log.warn({ aheadMs: ahead }, "This node's clock is off the database's.");
    return json(200, { status: "ok" });
  } catch (error) {
    parts.log.warn({ err: error }, "The database does not answer.");
    return json(503, { status: "unavailable" });
  }
}
