import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import type { Answer } from "../support/requests/answers.ts";
import { Client } from "../support/requests/client.ts";
import { expectStatus, PASSWORD, type Person, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { systemProgram } from "../support/runs/system-program.ts";
import { MAIN } from "../support/servers/command-line.ts";
import { freePort } from "../support/servers/free-port.ts";

const strace = await systemProgram("strace");

/** What the kernel was asked to do, in order, a line per call. */
const CALLS = "trace=fdatasync,fsync,write,writev,sendto";

describe.runIf(strace)("What ends a session", () => {
  let database: TestDatabase;
  let trace: string;
  let port: number;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    database = await engineOf("sqlite").createDatabase();
    trace = join(database.folder, "trace");
    port = await freePort();
    const words = ["-f", "-y", "-s", "64", "-e", CALLS, "-o", trace, process.execPath, MAIN, "serve"];
    const child = spawn(strace ?? "strace", words, {
      cwd: database.folder,
      // A process group: what stops one of the two stops both.
      detached: true,
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        DATABASE_URL: database.url,
        LATCHKEY_RATE_LIMITS: "off",
      },
    });
    await once(child.stdout, "data");
    stop = async () => {
      const closed = once(child, "close");
      process.kill(-Number(child.pid), "SIGTERM");
      await closed;
      await database.drop();
    };
  });
  afterAll(() => stop());

  const server = {
    client: (userAgent?: string) => new Client({ baseUrl: `http://localhost:${port}`, port, userAgent }),
  };

  /** The calls that it caused, up to the one that sends its answer. */
  async function callsUntilAnswer(act: () => Promise<Answer>): Promise<string[]> {
    const before = (await readFile(trace, "utf8")).length;
    const { status } = await act();
    const sent = new RegExp(`^.*(write|writev|sendto)\\(.*HTTP/1\\.1 ${status}.*$`, "m");
    await expect.poll(async () => sent.test((await readFile(trace, "utf8")).slice(before))).toBe(true);
    const calls = (await readFile(trace, "utf8")).slice(before).split("\n");
    return calls.slice(
      0,
      calls.findIndex((call) => sent.test(call)),
    );
  }

  const ways: Record<string, (person: Person, other: string) => Promise<Answer>> = {
    "a log-out on a row": ({ client }, other) => client.delete(`/api/sessions/${other}`),
    "log out other devices": ({ client }) => client.delete("/api/sessions"),
    "a password change": ({ client }) =>
      client.put("/api/account/password", {
        currentPassword: PASSWORD,
        newPassword: "velvet-Harbour-thistle-23",
      }),
    "one's own log-out": ({ client }) => client.delete("/api/session"),
  };

  test.each(Object.entries(ways))(
    "is on the disk before its answer is sent, on the embedded database: %s",
    async (_way, end) => {
      const person = await signUp(server);
      const other = await signIn(server, person, UA.firefoxWindows);
      const calls = await callsUntilAnswer(async () => {
        const answer = await end(person, other.session.id);
        return expectStatus(answer.status < 300 ? answer.status : 204, answer);
      });
      const synced = calls.filter((call) => /f(data)?sync\(\d+<[^>]*latchkey\.db-wal>/.test(call));
      expect(synced.length, calls.join("\n")).toBeGreaterThan(0);
    },
  );
});
