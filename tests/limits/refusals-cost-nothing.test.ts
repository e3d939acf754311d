import { afterEach, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import { DAY, MINUTE, SECOND } from "../support/requests/clock.ts";
import { expectRefusal, expectTooMany } from "../support/requests/expectations.ts";
import {
  freshEmail,
  OTHER_PASSWORD,
  resetToken,
  signUp,
  trySignIn,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { countAllUpTo } from "../support/servers/count-up-to.ts";
import { serverFor, startServer } from "../support/servers/server.ts";

const MOST = 10;
const OF_A_DAY = 100;

describeOnEachEngine("A refusal that is already decided", (engine) => {
  const server = serverFor(engine);
  afterEach(() => server().clock.setTo(server().clock.now()));

  async function lockedOut() {
    const person = await signUp(server());
    const wrong = { ...person, password: WRONG_PASSWORD };
    for (let times = 0; times < MOST; times += 1)
      expectRefusal(await trySignIn(server().client(), wrong), 401, "wrong_credentials");
    expectTooMany(await trySignIn(server().client(), wrong));
    return { person, wrong };
  }

  /** An address whose tries of the day, from browsers that it doesn't know, are used up. */
  async function outOfTriesToday(email: string) {
    const wrong = { email, password: WRONG_PASSWORD };
    expectRefusal(await trySignIn(server().client(), wrong), 401, "wrong_credentials");
    await countAllUpTo(OF_A_DAY, server(), "password_unknown_devices");
    return wrong;
  }

  /** Everything that an attempt could leave behind. */
  async function written() {
    const tables = ["attempts", "activity", "session", "known_device"];
    return Promise.all(tables.map((table) => server().database.read(`select * from ${table} order by 1`)));
  }

  test("writes nothing, however often it is asked for, and still says how long to wait", async () => {
    const { wrong } = await lockedOut();
    const before = await written();
    const waits: number[] = [];
    for (let seconds = 0; seconds < 8; seconds += 1) {
      server().clock.advance(SECOND);
      const answers = await Promise.all(Array.from({ length: 5 }, () => trySignIn(server().client(), wrong)));
      for (const answer of answers) expectTooMany(answer);
      waits.push(Number(header(answers[0] ?? fail(), "retry-after")));
    }
    expect(await written()).toEqual(before);
    expect(waits).toEqual([...waits].sort((one, other) => other - one));
    expect(waits[0]).toBeGreaterThan(waits.at(-1) ?? 0);
  });

  test("writes nothing either if the day's tries are used up", async () => {
    const { email } = await signUp(server());
    const wrong = await outOfTriesToday(email);
    expectTooMany(await trySignIn(server().client(), wrong));
    const before = await written();
    expectTooMany(await trySignIn(server().client(), wrong));
    expect(await written()).toEqual(before);
  });

  test("says how long to wait, in seconds and in words, both rounded up", async () => {
    const { clock } = server();
    const begun = clock.now();
    clock.stopAt(begun);
    const wrong = await outOfTriesToday(freshEmail());
    for (const [left, words] of [
      [DAY, "24 hours"],
      [91 * MINUTE, "2 hours"],
      [90 * MINUTE, "90 minutes"],
      [MINUTE + 1, "2 minutes"],
      [MINUTE, "a minute"],
      [1, "a minute"],
    ] as const) {
      clock.stopAt(begun + DAY - left);
      const refused = await trySignIn(server().client(), wrong);
      expectTooMany(refused);
      expect(header(refused, "retry-after")).toBe(String(Math.ceil(left / SECOND)));
      expect(refused.body.detail).toBe(`Too many attempts. Try again in ${words}.`);
    }
  });

  test("is remembered for two seconds, then looked up again: others' tries may have been given back on another node", async () => {
    const { clock } = server();
    const begun = clock.now();
    clock.stopAt(begun);
    const wrong = await outOfTriesToday(freshEmail());
    expectTooMany(await trySignIn(server().client(), wrong));
    await countAllUpTo(OF_A_DAY - 1, server(), "password_unknown_devices");
    clock.stopAt(begun + 2 * SECOND - 1);
    expectTooMany(await trySignIn(server().client(), wrong));
    clock.stopAt(begun + 2 * SECOND);
    expectRefusal(await trySignIn(server().client(), wrong), 401, "wrong_credentials");
    expectTooMany(await trySignIn(server().client(), wrong));
  });

  test("ends when its time is over, and then tries count from zero", async () => {
    const { person, wrong } = await lockedOut();
    const refused = await trySignIn(server().client(), wrong);
    server().clock.advance((Number(header(refused, "retry-after")) + 1) * SECOND);
    expectRefusal(await trySignIn(server().client(), wrong), 401, "wrong_credentials");
    expect((await trySignIn(server().client(UA.firefoxWindows), person)).status).toBe(201);
  });

  test("ends at once with a reset, and within seconds on another node", async () => {
    const { person } = await lockedOut();
    const { database, clock, secretKey } = server();
    const other = await startServer({ engine, database, clock, secretKey });
    try {
      expectTooMany(await trySignIn(other.client(), person));
      const token = await resetToken(server(), person.email);
      const changed = { email: person.email, password: OTHER_PASSWORD };
      const done = await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD });
      expect(done.status, done.text).toBe(204);
      expect((await trySignIn(server().client(UA.firefoxWindows), changed)).status).toBe(201);
      expectRefusal(await trySignIn(server().client(), person), 401, "wrong_credentials");
      clock.advance(3 * SECOND);
      expect((await trySignIn(other.client(UA.firefoxLinux), changed)).status).toBe(201);
    } finally {
      await other.close();
    }
  });
});

function fail(): never {
  throw new Error("unreachable");
}
