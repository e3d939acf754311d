import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "../support/requests/client.ts";
import { expectStatus, freshEmail, listOf, PASSWORD } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { freePort } from "../support/servers/free-port.ts";

const VICTIM = join(import.meta.dirname, "victim.ts");
const DEVICES = 5;

export type Killed = { rounds: number; endingsAnswered: number; problems: string[] };

/**
 * This many times, a server under load is killed with SIGKILL at a random moment. Then what it had
 * answered must hold, in the file and over HTTP, and nothing may be half done.
 */
export async function killUnderLoad(folder: string, rounds: number): Promise<Killed> {
  const file = join(folder, "latchkey.db");
  const port = await freePort();
  const email = freshEmail();
  const killed: Killed = { rounds: 0, endingsAnswered: 0, problems: [] };
  let dead: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const server = await start(file, port);
    try {
      for (const token of dead) {
        if ((await browser(port, token).get("/api/session")).status !== 401)
          killed.problems.push(`round ${round}: an ended session lives`);
      }
      const load = await beginLoad(port, email, round);
      // By the clock, and every other time just after an answer: on a slow machine, none comes that early.
      await (round % 2 === 0 ? wait(Math.random() * 15) : load.oneAnswered);
      server.kill("SIGKILL");
      dead = (await load.finished).filter((token) => token !== null);
      killed.endingsAnswered += dead.length;
    } finally {
      server.kill("SIGKILL");
      await once(server, "exit").catch(() => {});
    }
    killed.problems.push(...halfDone(file).map((what) => `round ${round}: ${what}`));
    killed.rounds += 1;
  }
  return killed;
}

async function start(file: string, port: number): Promise<ChildProcess> {
  const server = spawn(process.execPath, [VICTIM, file, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (server.stdout) await once(server.stdout, "data");
  return server;
}

function browser(port: number, token?: string): Client {
  const client = new Client({ baseUrl: `http://localhost:${port}`, port, userAgent: UA.script });
  if (token) client.token = token;
  return client;
}

/**
 * Logs devices in and ends them all at once, each by its own request; returns the tokens of those that were
 * answered.
 */
async function beginLoad(
  port: number,
  email: string,
  round: number,
): Promise<{ oneAnswered: Promise<unknown>; finished: Promise<(string | null)[]> }> {
  const own = browser(port);
  const credentials = { email, password: PASSWORD };
  expectStatus(201, await own.post(round === 0 ? "/api/accounts" : "/api/session", credentials));
  const others = await Promise.all(
    Array.from({ length: DEVICES }, async () => {
      const client = browser(port);
      expectStatus(201, await client.post("/api/session", credentials));
      return client;
    }),
  );
  const tokenOf = new Map<string, string>();
  for (const client of others) {
    const current = (await listOf(client)).find((session) => session.current);
    if (current) tokenOf.set(current.id, client.token);
  }
  const endings = [...tokenOf].map(async ([id, token]) => {
    const answer = await own.delete(`/api/sessions/${id}`).catch(() => null);
    return answer?.status === 204 ? token : null;
  });
  return { oneAnswered: Promise.race(endings), finished: Promise.all(endings) };
}

/** What a crash in the middle of a rule would leave behind. */
function halfDone(file: string): string[] {
  const open = new DatabaseSync(file, { readOnly: true });
  const count = (sql: string) => Number(open.prepare(sql).get()?.count);
  try {
    const both = count("select count(*) as count from session join ended_session on session_id = session.id");
    const ended = count("select count(*) as count from ended_session");
    const told = count("select count(*) as count from activity where kind = 'session_ended'");
    return [
      ...(both > 0 ? [`${both} sessions are both live and ended`] : []),
      ...(ended !== told ? [`${ended} sessions ended, ${told} are in the activity`] : []),
      ...(open.prepare("pragma quick_check(1)").get()?.quick_check === "ok" ? [] : ["the file is damaged"]),
    ];
  } finally {
    open.close();
  }
}
