import type { z } from "zod";
import { CLOCK_NOT_READY } from "../clock-watch.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";

const well = { description: "Healthy.", body: answers.health };
const unwell = { description: "Not ready.", body: answers.health };

export const healthRoutes = [
  route({
    method: "GET",
    path: "/healthz",
    session: "none",
    name: "getHealth",
    summary: "Whether the server runs.",
    answers: { 200: well },
    refuses: null,
    handle: async () => tell(200, { status: "ok" }),
  }),
  route({
    method: "GET",
    path: "/readyz",
    session: "none",
    name: "getReadiness",
    summary: "Whether the server's database answers and their clocks agree.",
    answers: { 200: well, 503: unwell },
    refuses: null,
    async handle({ parts, now }) {
      try {
        await parts.database.read.selectFrom("account").select("id").limit(1).execute();
        const aheadMs = await parts.clockAhead();
        if (Math.abs(aheadMs) < CLOCK_NOT_READY) return tell(200, { status: "ok" });
        return tell(503, { status: "clock", aheadMs });
      } catch (error) {
        parts.failureLog.note("The database does not answer.", { err: error }, now);
        return tell(503, { status: "unavailable" });
      }
    },
  }),
];

function tell<Status extends 200 | 503>(status: Status, body: z.infer<typeof answers.health>) {
  return { ok: true, status, body } as const;
}
