import { createHook } from "node:async_hooks";
import { readFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { accountWith } from "../support/requests/account-kinds.ts";
import type { Answer } from "../support/requests/answers.ts";
import { DAY } from "../support/requests/clock.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, signUp, trySignIn, WRONG_PASSWORD } from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

/** Accounts whose refusal takes one argon2id; an imported password takes what the other system took. */
const KINDS = ["a password", "no password", "a blocked password", "a suspension", "two factors"] as const;

/** The work that takes an answer's time: each password that is hashed, and each transaction that writes. */
type Work = { hashes: number; writes: number };

let hashes = 0;
const counting = createHook({
  init(_id, type) {
    if (type === "ARGON2REQUEST") hashes += 1;
  },
});
beforeAll(() => void counting.enable());
afterAll(() => void counting.disable());

describeOnEachEngine("Someone who tries to find out which addresses have an account", (engine) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ engine });
  });
  afterAll(() => server.close());

  /**
   * Begins to count transactions that write; on PostgreSQL, by the traces that they leave in this database
   * alone.
   */
  async function countWrites(): Promise<() => Promise<number>> {
    const file = server.database.url.replace("sqlite:", "");
    if (engine.name === "sqlite") {
      const before = commitsIn(file);
      // Fewer if the log was restarted meanwhile: then the count isn't known.
      return async () => (commitsIn(file) < before ? Number.POSITIVE_INFINITY : commitsIn(file) - before);
    }
    const ids = ["account", "activity", "attempts"].map(
      (table) => `select xmin::text::bigint as id from ${table}`,
    );
    const all = `(${ids.join(" union all ")}) as written`;
    const [newest] = await server.database.read(`select max(id) as id from ${all}`);
    return async () => {
      const [row] = await server.database.read(
        `select count(distinct id) as writes from ${all} where id > ${newest?.id}`,
      );
      return Number(row?.writes);
    };
  }

  /** The least of three: now and then, a server has work of its own. */
  async function workOf(act: () => Promise<Answer>): Promise<Work> {
    const times: Work[] = [];
    for (let time = 0; time < 3; time++) {
      await server.outbox.all();
      const writes = await countWrites();
      const before = hashes;
      await act();
      times.push({ hashes: hashes - before, writes: await writes() });
    }
    const least = (part: keyof Work) => Math.min(...times.map((work) => work[part]));
    return { hashes: least("hashes"), writes: least("writes") };
  }

  const tryWrong = async (email: string) => {
    const answer = await trySignIn(server.client(), { email, password: WRONG_PASSWORD });
    expectRefusal(answer, 401, "wrong_credentials");
    return answer;
  };

  test("has each refused sign-in hash one password and write as much, whoever the address is of", async () => {
    const addresses = [freshEmail("nobody")];
    for (const kind of KINDS) addresses.push(await accountWith(server, kind));
    const work: Work[] = [];
    const answers: string[] = [];
    // The first refusal of an account is a new line in its history; later ones are folded into it.
    for (const times of ["first", "second"]) {
      server.clock.advance(DAY);
      for (const email of addresses) {
        work.push(await workOf(() => tryWrong(email)));
        const { status, text, headers } = await tryWrong(email);
        answers.push(JSON.stringify([status, text, Object.keys(headers), headers["content-length"]]));
      }
      expect(work, times).toEqual(work.map(() => ({ hashes: 1, writes: work[0]?.writes })));
      expect(work[0]?.writes).toBeGreaterThan(0);
    }
    expect(new Set(answers).size).toBe(1);
  });

  test("has each asked-for reset answered alike", async () => {
    const addresses = [freshEmail("nobody"), "no address at all"];
    for (const kind of KINDS) addresses.push(await accountWith(server, kind));
    const answers = [];
    for (const email of addresses) {
      const { status, text, headers } = await server.client().post("/api/password-resets", { email });
      answers.push(JSON.stringify([status, text, Object.keys(headers), headers["content-length"]]));
    }
    expect(new Set(answers).size).toBe(1);
  });
});

describe("On the embedded database, which does its work in the same thread", () => {
  const open = serverOn();
  const verifyFirst = serverOn({ signUp: "verify-first" });

  /**
   * The least that was written by the time of the answer: only the count of tries. The fewest of several
   * requests, since a busy machine may deliver an answer late.
   */
  async function fewestCommits(server: TestServer, path: string, email: string): Promise<number> {
    const file = server.database.url.replace("sqlite:", "");
    let fewest = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 5; time++) {
      server.clock.advance(DAY);
      await server.outbox.all();
      const before = commitsIn(file);
      const { status } = await server.client().post(path, { email });
      fewest = Math.min(fewest, commitsIn(file) - before);
      expect(status).toBe(202);
    }
    return fewest;
  }

  test("a reset is answered before anything is written of it", async () => {
    const { email } = await signUp(open());
    const emails = [freshEmail("nobody"), email];
    const commits = [];
    for (const one of emails) commits.push(await fewestCommits(open(), "/api/password-resets", one));
    expect(commits).toEqual([1, 1]);
    await open().outbox.withLink(email, "/reset-password");
  });

  test("so is a sign-up that verifies the address first", async () => {
    const known = freshEmail("known");
    const first = expectStatus(202, await verifyFirst().client().post("/api/accounts", { email: known }));
    expect(first.setCookies).toEqual([]);
    const token = await verifyFirst().outbox.tokenFor(known, "/sign-up");
    const body = { token, password: "quartz-Lantern-burrow-58" };
    expectStatus(201, await verifyFirst().client().put("/api/accounts", body));
    const commits = [];
    for (const one of [freshEmail("nobody"), known])
      commits.push(await fewestCommits(verifyFirst(), "/api/accounts", one));
    expect(commits).toEqual([1, 1]);
  });
});

/** Commits in a write-ahead log: the frames whose header contains the size of the database after them. */
function commitsIn(file: string): number {
  const wal = `${file}-wal`;
  if (!statSync(wal, { throwIfNoEntry: false })?.size) throw new Error("There is no write-ahead log.");
  const bytes = readFileSync(wal);
  const [pageSize, salt] = [bytes.readUInt32BE(8), bytes.readBigUInt64BE(16)];
  let commits = 0;
  for (let at = 32; at + 24 + pageSize <= bytes.length; at += 24 + pageSize)
    if (bytes.readBigUInt64BE(at + 8) === salt && bytes.readUInt32BE(at + 4) > 0) commits += 1;
  return commits;
}
