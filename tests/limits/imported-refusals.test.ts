import { hashSync } from "bcryptjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { importReport, jsonLines } from "../support/databases/imports.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  PASSWORD,
  signUp,
  trySignIn,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const [COST, OTHER_COST] = [5, 4];

describeOnEachEngine("While there are accounts with another system's password hashes", (engine) => {
  let server: TestServer;
  let threads = 0;
  const count = () => {
    threads += 1;
  };
  beforeEach(async () => {
    server = await startServer({ engine });
    process.on("worker", count);
  });
  afterEach(async () => {
    process.off("worker", count);
    await server.close();
  });

  async function bring(costs: number[]): Promise<string[]> {
    const people = costs.map((cost) => ({
      email: freshEmail("moved"),
      passwordHash: hashSync(PASSWORD, cost),
    }));
    const report = await importReport(server, ["--from", "json-lines", await jsonLines(server, people)]);
    expect(report.passwords).toBe(costs.length);
    return people.map(({ email }) => email);
  }

  /** How many checks of bcrypt a refusal takes: each is a thread. */
  async function checksOf(email: string): Promise<number> {
    const before = threads;
    const answer = await trySignIn(server.client(), { email, password: WRONG_PASSWORD });
    expectRefusal(answer, 401, "wrong_credentials");
    return threads - before;
  }

  test("a refusal takes the same checks for theirs, for any other account, and for an address without one", async () => {
    const own = await signUp(server);
    expect(await checksOf(own.email)).toBe(0);
    expect(await checksOf(freshEmail())).toBe(0);

    const [first = "", second = "", cheaper = ""] = await bring([COST, COST, OTHER_COST]);
    for (const email of [first, second, cheaper, own.email, freshEmail(), "no address"])
      expect(await checksOf(email), email).toBe(2);

    const before = threads;
    expectStatus(201, await trySignIn(server.client(), own));
    expect(threads, "whoever is let in with a password of our own waits for none").toBe(before);

    for (const email of [first, cheaper])
      expectStatus(201, await trySignIn(server.client(), { email, password: PASSWORD }));
    for (const email of [second, cheaper, freshEmail()]) expect(await checksOf(email), email).toBe(1);

    expectStatus(201, await trySignIn(server.client(), { email: second, password: PASSWORD }));
    for (const email of [second, freshEmail()]) expect(await checksOf(email), email).toBe(0);
  });
});
