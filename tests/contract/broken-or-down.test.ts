import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeOnEachEngine, type TestDatabase } from "../support/databases/engines.ts";
import { holdWrites } from "../support/databases/hold-writes.ts";
import type { Answer } from "../support/requests/answers.ts";
import { expectNoContent, expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import {
  changeToken,
  freshEmail,
  PASSWORD,
  type Person,
  signUp,
  trySignIn,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

/** More sign-ups than fit into the space that a full database has left. */
const MORE_THAN_FIT = 200;

describeOnEachEngine("A request that the database fails", (engine) => {
  let database: TestDatabase;
  let server: TestServer;
  let person: Person;
  beforeEach(async () => {
    database = await engine.createDatabase();
    server = await startServer({ engine, database, rateLimits: "off" });
    person = await signUp(server);
  });
  afterEach(async () => {
    // If the test has closed the database, closing it again throws.
    await server.close().catch(() => {});
    await database.drop();
  });

  const alter = (statement: string) =>
    server.latchkey.parts.database.write(({ query }) => sql.raw(statement).execute(query));
  const signInAgain = () => trySignIn(server.client(UA.firefoxWindows), person);

  test("is a 500 where its statement names what isn't there: that is a bug, and no reason to try again", async () => {
    await alter("alter table activity rename to elsewhere");
    expectBroken(await person.client.get("/api/activity"));
    const newcomer = { email: freshEmail(), password: PASSWORD };
    expectBroken(await server.client().post("/api/accounts", newcomer));
    await expectSignedIn(person.client);
  });

  test("isn't answered as if its link had expired, and the link works once the bug is gone", async () => {
    await verifyEmail(server, person);
    const change = await changeToken(server, person, freshEmail("new"));
    const keep = await server.outbox.tokenFor(person.email, "/keep-email");
    for (const [path, token] of [
      ["/api/email-confirmations", change],
      ["/api/email-reversals", keep],
    ] as const) {
      await alter("alter table activity rename to elsewhere");
      expectBroken(await person.client.post(path, { token }));
      await alter("alter table elsewhere rename to activity");
      expectNoContent(await person.client.post(path, { token }));
    }
  });

  test("is a 500 if it breaks a constraint that no rule expects", async () => {
    await alter("create unique index one_of_a_kind on activity (account_id, kind)");
    expectBroken(await signInAgain());
    await expectSignedIn(person.client);
  });

  test("is a 503 where the database is closed, and nobody is signed out", async () => {
    await server.latchkey.parts.database.close();
    for (const path of ["/api/session", "/api/sessions", "/verify"])
      expectRefusal(await person.client.get(path), 503, "unavailable");
    expectRefusal(await signInAgain(), 503, "unavailable");
  });

  test("is a 503 if another program keeps the tables locked", async () => {
    const unlock = await holdWrites(database, "lock table activity, session, account in exclusive mode");
    try {
      expectRefusal(await signInAgain(), 503, "unavailable");
    } finally {
      await unlock();
    }
    expect((await signInAgain()).status).toBe(201);
  });

  test("is a 503 if the disk is full, while sessions are checked as before", async () => {
    await fillUp();
    let answer = await signInAgain();
    for (let i = 0; answer.status === 201 && i < MORE_THAN_FIT; i += 1) answer = await signInAgain();
    expectRefusal(answer, 503, "unavailable");
    await expectSignedIn(person.client);
  });

  /** SQLite's file may grow no further; PostgreSQL answers as it does with a full disk. */
  async function fillUp(): Promise<void> {
    if (engine.name === "sqlite") return void (await alter("pragma max_page_count = 1"));
    await alter(`create function no_room() returns trigger language plpgsql as
      $$ begin raise exception 'No space left on device' using errcode = '53100'; end $$`);
    await alter("create trigger no_room before insert on activity execute function no_room()");
  }
});

function expectBroken(answer: Answer): void {
  expectRefusal(answer, 500, "internal_error");
}
