import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgres } from "../tests/support/databases/postgres.ts";
import { startInApp } from "./in-app.ts";
import { makeLoad } from "./load.ts";
import { plant, plantedSecureCookie } from "./plant.ts";
import { type Bench, type Options, type Row, summary } from "./results.ts";
import { inFolder } from "./server.ts";

const EACH = 1_000;

export const bound: Bench = {
  about:
    "checks of sessions that are bound to a device, as a share of what other sessions reach on the same server",
  rounds: 8,
  run: (options) =>
    inFolder(async (folder) => {
      const postgres = await startPostgres();
      try {
        return [
          await measure(options, folder, "SQLite", `sqlite:${join(folder, "latchkey.db")}`),
          await measure(options, folder, "PostgreSQL", postgres.url),
        ];
      } finally {
        await postgres.stop();
      }
    }),
};

/** Half of the sessions are bound; each round loads both halves in turn. The first round warms up. */
async function measure(
  { rounds, progress }: Options,
  folder: string,
  engine: string,
  url: string,
): Promise<Row> {
  const load = await makeLoad(folder);
  await plant(url, { sessions: 2 * EACH, boundFrom: EACH });
  const others = cookieFile(folder, 0, false);
  const ofBound = cookieFile(folder, EACH, true);
  const server = await startInApp(url, folder, 2 * EACH, { scheme: "https" });
  const taken: { share: number; bound: number; others: number }[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      progress(`${engine}: round ${round} of ${rounds}`);
      const at = (cookies: string) => load(server, "/guarded", { count: EACH, order: "turn", cookies });
      const unbound = await at(others);
      const withBoth = await at(ofBound);
      const share = withBoth.perSecond / unbound.perSecond;
      if (round > 0) taken.push({ share, bound: withBoth.cpu, others: unbound.cpu });
    }
  } finally {
    await server.stop();
  }
  const cpu = (of: "bound" | "others") => summary(taken.map((one) => one[of])).value.toFixed(0);
  return {
    id: `${engine} bound`,
    what: `${engine}: bound sessions, as a share of what others reach`,
    ...summary(taken.map(({ share }) => share)),
    unit: "",
    beside: `${cpu("bound")} µs of the app's processor a request, ${cpu("others")} of one that isn't bound`,
  };
}

function cookieFile(folder: string, first: number, isBound: boolean): string {
  const file = join(folder, `cookies-${first}`);
  const cookies = Array.from({ length: EACH }, (_, index) => plantedSecureCookie(first + index, isBound));
  writeFileSync(file, cookies.join("\n"));
  return file;
}
