import { sql } from "kysely";
import { beforeEach, expect, test } from "vitest";
import { prune } from "../../src/sessions/prune.ts";
import { hashToken } from "../../src/sessions/token.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import { DAY, HOUR, MINUTE } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal, expectSignedOut } from "../support/requests/expectations.ts";
import { expectStatus, isSignedIn, listOf, type Person, signUp } from "../support/requests/people.ts";
import { serverFor } from "../support/servers/server.ts";

const MANY = 20_000;
/** The sessions whose tokens a test knows. */
const HELD = [1, 399, 401, 10_001, 19_999];
const LISTED = 100;
const A_BATCH = { sqlite: 25, postgres: 200 };
const token = (number: number) => `lk1_${String(number).padStart(43, "m")}`;

describeOnEachEngine("An account with 20,000 sessions", (engine) => {
  const server = serverFor(engine);
  let person: Person;
  let first: number;
  let planted = 0;

  beforeEach(async () => {
    person = await signUp(server());
    first = planted;
    planted += MANY;
    await plant(person.account.id);
  });

  /** Used one after another, the last one a minute ago; every tenth has expired. Some have a known token. */
  async function plant(accountId: string): Promise<void> {
    const now = server().clock.now();
    const [numbers, hash, padded] =
      engine.name === "sqlite"
        ? [
            "(with recursive n(n) as (select 0 union all select n + 1 from n where n < 19999) select n from n)",
            "randomblob(32)",
            `printf('%014d', ${first} + n)`,
          ]
        : [
            "(select generate_series(0, 19999) as n)",
            "sha256(convert_to(random()::text || n, 'UTF8'))",
            `lpad((${first} + n)::text, 14, '0')`,
          ];
    const plantAll = `insert into session (token_hash, id, account_id, browser, os, label, created_at, expires_at,
        last_used_at, signed_in_with, method_id, proved_at, replacement_key)
      select ${hash}, 'planted-' || ${padded}, '${accountId}', 'Firefox', 'Linux',
        case n % 2 when 0 then 'Firefox on Linux' else 'Firefox on Windows' end, ${now - 29 * DAY},
        case n % 10 when 0 then ${now - HOUR} else ${now + DAY} end, ${now - MANY * MINUTE} + n * ${MINUTE},
        'password', 'password', ${now - 29 * DAY}, null from ${numbers} as numbers`;
    await server().latchkey.parts.database.write(async ({ query }) => {
      await sql.raw(plantAll).execute(query);
      for (const number of HELD)
        await query
          .updateTable("session")
          .set({ token_hash: hashToken(token(first + number)) })
          .where("id", "=", idOf(number))
          .execute();
    });
  }

  const idOf = (number: number) => `planted-${String(first + number).padStart(14, "0")}`;

  function holderOf(number: number) {
    const client = server().client();
    client.token = token(first + number);
    return client;
  }

  const rowsLeft = async () =>
    (await server().database.read(`select id from session where account_id = '${person.account.id}'`)).length;

  test("lists the current one and those that were used last, as many as a list shows, and can end any of them", async () => {
    const sessions = await listOf(person.client);
    expect(sessions).toHaveLength(LISTED);
    expect(sessions[0]).toMatchObject({ id: person.session.id, current: true });
    const living = Array.from({ length: MANY }, (_, number) => number).filter((number) => number % 10 !== 0);
    const last = living.toReversed().slice(0, LISTED - 1);
    expect(sessions.slice(1).map(({ id }) => id)).toEqual(last.map((number) => idOf(number)));
    expect(await server().latchkey.sessions.list(person.account.id)).toHaveLength(LISTED);

    const oldest = holderOf(1);
    const itsOwn = await listOf(oldest);
    expect(itsOwn).toHaveLength(LISTED);
    expect(itsOwn[0]).toMatchObject({ id: idOf(1), current: true });
    expect(new Set(itsOwn.map(({ id }) => id)).size).toBe(LISTED);

    // One that the list doesn't show can still be ended; one that has expired can't.
    expectNoContent(await person.client.delete(`/api/sessions/${idOf(1)}`));
    await expectSignedOut(holderOf(1), "signed_out_remotely");
    expectRefusal(await person.client.delete(`/api/sessions/${idOf(0)}`), 404, "not_found");
    expect(await rowsLeft()).toBe(MANY);
  });

  test("ends all others at once, says how many were live, and answers everyone else meanwhile", async () => {
    const other = await signUp(server());
    let isOver = false;
    const ending = person.client.delete("/api/sessions").finally(() => {
      isOver = true;
    });
    let answered = 0;
    while (!isOver) {
      expectStatus(200, await other.client.get("/api/session"));
      if (!isOver) answered += 1;
    }
    expect(need(expectStatus(200, await ending), "ended")).toBe(MANY - MANY / 10);
    expect(answered).toBeGreaterThan(2);
    expect(await rowsLeft()).toBe(1);
    for (const number of HELD) await expectSignedOut(holderOf(number), "signed_out_remotely");
    expect(await isSignedIn(person.client)).toBe(true);
    // One by one in the activity, as many as a list shows; the rest are folded, a line for each device and reason.
    const lines = await server().database.read(
      `select detail from activity where kind = 'session_ended' and account_id = '${person.account.id}'`,
    );
    const counts = lines.map(({ detail }) => Number(JSON.parse(String(detail)).count ?? 1));
    expect(counts.reduce((sum, count) => sum + count)).toBe(MANY);
    expect(lines).toHaveLength(LISTED + 3);
  });

  test("all get their last-used times written, while everyone else gets a turn", async () => {
    const { lastUsed, settings } = server().latchkey.parts;
    const now = settings.now();
    for (let number = 0; number < MANY; number += 1) lastUsed.touch(idOf(number), now - DAY, now);
    let turns = 0;
    let isOver = false;
    const countTurns = () => {
      turns += 1;
      if (!isOver) setImmediate(countTurns);
    };
    setImmediate(countTurns);
    await lastUsed.flush(now);
    isOver = true;
    expect(turns).toBeGreaterThan(50);
    const rows = await server().database.read(
      `select id from session where account_id = '${person.account.id}' and id like 'planted-%' and last_used_at = ${now}`,
    );
    expect(rows).toHaveLength(MANY);
  });

  test("are pruned with a pause after each batch, which doesn't delay a stop", async () => {
    const count = async () => (await server().database.read("select id from session")).length;
    const before = await count();
    const stop = new AbortController();
    const { parts } = server().latchkey;
    const pruning = prune(parts, server().clock.now(), { stop: stop.signal, rest: 100_000 });
    await expect.poll(count).toBeLessThan(before);
    stop.abort();
    expect(await pruning).toEqual({ sessions: A_BATCH[engine.name], rows: 0 });
    expect(await count()).toBe(before - A_BATCH[engine.name]);
  });
});
