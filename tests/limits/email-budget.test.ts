import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { HOUR, SECOND } from "../support/requests/clock.ts";
import { freshEmail, PASSWORD, type Person, resetToken, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor, startServer, type TestServer } from "../support/servers/server.ts";

/** What notices and ordinary emails of an hour share; the rest of the 20 is kept for what helps the owner. */
const SHARED = 10;
const ALL = 20;

/** Each of them would send a notice: the browser is new. */
async function signInAnew(server: TestServer, person: Person, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) await signIn(server, person, UA.script);
}

const subjectsTo = async (server: TestServer, { email }: Person) =>
  (await server.outbox.to(email)).map(({ subject }) => subject);

describeOnEachEngine("Someone whose address gets too many emails", (engine) => {
  const server = serverFor(engine);

  test("still gets a reset, and the notice of a change of address, and no more than 20 in all", async () => {
    const person = await signUp(server());
    await signInAnew(server(), person, 14);
    for (let time = 0; time < 5; time += 1) {
      await resetToken(server(), person.email);
      const email = freshEmail();
      const answer = await person.client.put("/api/account/email", { email, currentPassword: PASSWORD });
      expect(answer.status, answer.text).toBe(202);
    }
    await server().outbox.waitFor(person.email, ALL);
    const subjects = await subjectsTo(server(), person);
    expect(subjects.filter((one) => one.startsWith("New sign-in"))).toHaveLength(SHARED - 1);
    expect(subjects.filter((one) => one === "Reset your password")).toHaveLength(5);
    expect(subjects.filter((one) => one === "Your email address is about to change")).toHaveLength(5);
  });

  test("is told once how many more there were, with the next email that comes through", async () => {
    const person = await signUp(server());
    await signInAnew(server(), person, SHARED + 2);
    await server().outbox.waitFor(person.email, SHARED);
    server().clock.advance(HOUR + SECOND);
    await signInAnew(server(), person, 1);
    const mail = await server().outbox.withSubject(person.email, "held back");
    expect(mail.subject).toBe("3 more emails were held back");
    expect(mail.text).toContain("Forgot password?");
    await server().outbox.waitFor(person.email, SHARED + 2);
  });

  test("gets notices, however many ordinary emails others ask for", async () => {
    const person = await signUp(server());
    for (let time = 0; time < 5; time += 1) {
      const { client } = await signUp(server());
      const body = { email: person.email, currentPassword: PASSWORD };
      expect((await client.put("/api/account/email", body)).status).toBe(202);
    }
    await server().outbox.waitFor(person.email, 6);
    for (let time = 0; time < 3; time += 1) await person.client.post("/api/account/email/verification");
    await signInAnew(server(), person, 1);
    await server().outbox.withSubject(person.email, "New sign-in");
    await server().outbox.waitFor(person.email, 7);
  });
});

describeOnEachEngine("Two nodes that send to one address", (engine) => {
  test("count together, and one of them tells how many more there were once the hour is over", async () => {
    const first = await startServer({ engine, pruneInterval: "1s" });
    const { database, clock, secretKey } = first;
    const second = await startServer({ engine, database, clock, secretKey, pruneInterval: "1s" });
    try {
      const person = await signUp(first);
      for (const node of [first, second]) await signInAnew(node, person, 8);
      await first.outbox.waitFor(person.email, SHARED);
      clock.advance(HOUR + SECOND);
      const mail = await first.outbox.withSubject(person.email, "held back");
      expect(mail.subject).toBe("7 more emails were held back");
      await first.outbox.waitFor(person.email, SHARED + 1);
      expect(await database.read("select * from email_budget")).toEqual([]);
    } finally {
      await second.close();
      await first.close();
    }
  });
});

describeOnEachEngine("Without limits", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  test("every email goes out", async () => {
    const person = await signUp(server());
    await signInAnew(server(), person, SHARED + 5);
    await server().outbox.waitFor(person.email, SHARED + 6);
  });
});
