import { afterEach, beforeEach, expect, test } from "vitest";
import { writeEmails } from "../../src/credentials/send-emails.ts";
import { allAtRest } from "../support/databases/at-rest.ts";
import { describeOnEachEngine, type Engine, type TestDatabase } from "../support/databases/engines.ts";
import { MailServer } from "../support/mail/mail-server.ts";
import { DAY, HOUR, MINUTE } from "../support/requests/clock.ts";
import { expectStatus, freshEmail, OTHER_PASSWORD, PASSWORD, signUp } from "../support/requests/people.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";
import { startServer } from "../support/servers/server.ts";

const CHANGED = "Your password was changed";
/** By then, another process may take over what a dead one was sending. */
const CLAIM_IS_OVER = 3 * MINUTE;

let database: TestDatabase;
let mailServers: MailServer[];

const waiting = () => database.read("select * from outgoing_email");

async function startMailServer(options: Parameters<typeof MailServer.start>[0] = {}): Promise<MailServer> {
  const server = await MailServer.start(options);
  mailServers.push(server);
  return server;
}

function setUp(engine: Engine): void {
  beforeEach(async () => {
    database = await engine.createDatabase();
    mailServers = [];
  });
  afterEach(async () => {
    for (const server of mailServers) await server.stop();
    await database.drop();
  });
}

const withSubject = (mails: { subject: string }[], subject: string) =>
  mails.filter((mail) => mail.subject === subject);

describeOnEachEngine("A server that is killed before it has sent the email about a change", (engine) => {
  setUp(engine);

  test("sends it once after the restart, if the mail server never answered", async () => {
    const mails = await startMailServer({ mood: "stalls" });
    const options = { databaseUrl: database.url, smtpUrl: mails.url };
    const killed = await startInOwnProcess(options);
    const { client, email } = await signUp(killed);
    const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expectStatus(204, await client.put("/api/account/password", change));
    await expect.poll(() => mails.connections).toBeGreaterThan(0);
    await killed.kill();
    expect(mails.received).toEqual([]);

    mails.mood = "takes";
    const restarted = await startInOwnProcess({ ...options, aheadBy: CLAIM_IS_OVER });
    await expect.poll(() => withSubject(mails.to(email), CHANGED), { timeout: 20_000 }).toHaveLength(1);
    await expect.poll(waiting, { timeout: 20_000 }).toEqual([]);
    await restarted.stop();
    expect(withSubject(mails.to(email), CHANGED)).toHaveLength(1);
    expect(mails.to(email)).toHaveLength(2);
  });

  test("sends it once after the restart, if no mail server could be reached, and says in its log that emails wait", async () => {
    const port = await freePort();
    const options = { databaseUrl: database.url, smtpUrl: `smtp://127.0.0.1:${port}` };
    const killed = await startInOwnProcess(options);
    const { client, email } = await signUp(killed);
    const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expectStatus(204, await client.put("/api/account/password", change));
    await killed.kill();

    const mails = await startMailServer({ port });
    const restarted = await startInOwnProcess({ ...options, aheadBy: CLAIM_IS_OVER });
    await expect.poll(waiting, { timeout: 20_000 }).toEqual([]);
    await restarted.hasSaid("Emails of an earlier run wait to be sent.");
    await restarted.stop();
    expect(withSubject(mails.to(email), CHANGED)).toHaveLength(1);
    expect(new Set(mails.received.map(({ id }) => id)).size).toBe(mails.received.length);
  });

  test("counts those of the previous run in its log, and none of its own first second", async () => {
    const options = { databaseUrl: database.url, smtpUrl: `smtp://127.0.0.1:${await freePort()}` };
    const killed = await startInOwnProcess(options);
    const { email } = await signUp(killed);
    await killed.kill();

    const restarted = await startInOwnProcess(options);
    expectStatus(202, await restarted.client().post("/api/password-resets", { email }));
    const words = "Emails of an earlier run wait to be sent.";
    await restarted.hasSaid(words);
    await restarted.stop();
    const said = restarted.log().find((line) => line.includes(words)) ?? "";
    expect(JSON.parse(said)).toMatchObject({ waiting: 1 });
  });

  test("loses none, however soon it is killed after the answer", async () => {
    const mails = await startMailServer();
    const options = { databaseUrl: database.url, smtpUrl: mails.url };
    const emails: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const killed = await startInOwnProcess({ ...options, aheadBy: round * CLAIM_IS_OVER });
      emails.push((await signUp(killed)).email);
      await killed.kill();
    }
    const restarted = await startInOwnProcess({ ...options, aheadBy: 3 * CLAIM_IS_OVER });
    await expect.poll(waiting, { timeout: 20_000 }).toEqual([]);
    await restarted.stop();
    // One that was accepted but not recorded may arrive twice, as the same email.
    const ids = emails.map((email) => new Set(mails.to(email).map(({ id }) => id)).size);
    expect(ids).toEqual([1, 1, 1]);
  });
});

describeOnEachEngine("Emails that wait for a mail server", (engine) => {
  setUp(engine);

  test("go out once it is back, each of them once", async () => {
    const port = await freePort();
    const server = await startServer({ engine, database, smtpUrl: `smtp://127.0.0.1:${port}` });
    const people = await Promise.all([signUp(server), signUp(server), signUp(server)]);
    await expect
      .poll(waiting)
      .toMatchObject(people.map(() => ({ failure: expect.stringMatching(/ECONNREFUSED/) })));
    const mails = await startMailServer({ port });
    await expect.poll(waiting, { timeout: 20_000 }).toEqual([]);
    await server.close();
    for (const { email } of people) expect(mails.to(email)).toHaveLength(1);
  });

  test("aren't sent again if only the record that they were sent could not be written", async () => {
    const mails = await startMailServer();
    const server = await startServer({ engine, database, smtpUrl: mails.url });
    const rename = (from: string, to: string) =>
      server.latchkey.parts.database.write(({ query }) =>
        query.schema.alterTable(from).renameTo(to).execute(),
      );
    mails.hold = async () => {
      mails.hold = async () => {};
      await rename("outgoing_email", "outgoing_email_away");
    };
    const [ada, bob] = [freshEmail("ada"), freshEmail("bob")];
    await signUp(server, { email: ada });
    await expect.poll(() => mails.to(ada)).toHaveLength(1);
    await server.latchkey.parts.mailer.settled();
    await rename("outgoing_email_away", "outgoing_email");
    expect(await waiting()).toHaveLength(1);
    server.clock.advance(CLAIM_IS_OVER);
    await signUp(server, { email: bob });
    await expect.poll(waiting).toEqual([]);
    await server.close();
    expect(mails.to(ada)).toHaveLength(1);
  });

  test("count only once towards an address's hourly limit, however often they are tried", async () => {
    const mails = await startMailServer({ mood: "busy" });
    const server = await startServer({ engine, database, smtpUrl: mails.url });
    await signUp(server);
    await expect.poll(waiting, { timeout: 20_000 }).toMatchObject([{ tries: 3 }]);
    expect(await database.read("select sent from email_budget")).toEqual([{ sent: 1 }]);
    await server.close();
  });

  test("aren't readable at rest", async () => {
    const mails = await startMailServer({ mood: "busy" });
    const server = await startServer({ engine, database, smtpUrl: mails.url });
    const { email } = await signUp(server);
    expectStatus(202, await server.client().post("/api/password-resets", { email }));
    await expect.poll(waiting).toMatchObject([{ tries: 1 }, { tries: 1 }]);
    const atRest = await allAtRest(database);
    mails.mood = "takes";
    await expect.poll(() => mails.to(email), { timeout: 20_000 }).toHaveLength(2);
    await server.close();
    for (const { subject, text } of mails.received) {
      const [, token = ""] = /#token=([\w-]{43})/.exec(text) ?? [];
      expect(token).toHaveLength(43);
      expect(atRest).not.toContain(token);
      expect(atRest).not.toContain(Buffer.from(token).toString("hex"));
      expect(atRest).not.toContain(subject);
    }
  });

  test("are encrypted for their row: one that was moved to another is sent to nobody", async () => {
    const mails = await startMailServer({ mood: "busy" });
    const server = await startServer({ engine, database, smtpUrl: mails.url });
    for (const name of ["ada", "bob"]) await signUp(server, { email: freshEmail(name) });
    await expect.poll(waiting).toMatchObject(Array(2).fill({ failure: expect.stringContaining("451") }));
    await server.latchkey.parts.database.write(async ({ query }) => {
      const [ada, bob] = await query.selectFrom("outgoing_email").selectAll().orderBy("id").execute();
      if (!ada || !bob) throw new Error("They don't wait.");
      const move = (sealed: Uint8Array, id: string) =>
        query.updateTable("outgoing_email").set({ sealed }).where("id", "=", id).execute();
      await move(ada.sealed, bob.id);
      await move(bob.sealed, ada.id);
    });
    mails.mood = "takes";
    await expect.poll(waiting, { timeout: 20_000 }).toMatchObject([{ failure: "key" }, { failure: "key" }]);
    await server.close();
    expect(mails.received).toEqual([]);
  });

  test("move to the new key while LATCHKEY_SECRET_KEY is changed, and are sent with that key alone", async () => {
    const [older, newer] = ["1a".repeat(32), "2b".repeat(32)];
    const mails = await startMailServer({ mood: "busy" });
    const start = (secretKey: string) => startServer({ engine, database, secretKey, smtpUrl: mails.url });
    const first = await start(older);
    const { email } = await signUp(first);
    await expect.poll(waiting).toMatchObject([{ tries: 1 }]);
    await first.close();
    const [before] = await waiting();

    const second = await start(`${newer},${older}`);
    await expect.poll(async () => (await waiting())[0]?.sealed).not.toEqual(before?.sealed);
    await second.close();

    mails.mood = "takes";
    const third = await start(newer);
    third.clock.advance(HOUR);
    await expect.poll(() => mails.to(email), { timeout: 20_000 }).toHaveLength(1);
    await third.close();
  });

  test("are given up when their links have expired, or after a day, and leave nothing behind", async () => {
    const mails = await startMailServer({ mood: "busy" });
    const server = await startServer({ engine, database, smtpUrl: mails.url, pruneInterval: "1s" });
    const { email } = await signUp(server);
    expectStatus(202, await server.client().post("/api/password-resets", { email }));
    await expect.poll(waiting).toHaveLength(2);
    server.clock.advance(31 * MINUTE);
    await expect.poll(waiting, { timeout: 20_000 }).toHaveLength(1);
    server.clock.advance(DAY);
    await expect.poll(waiting, { timeout: 20_000 }).toEqual([]);
    await server.close();
    expect(mails.received).toEqual([]);
  });
});

describeOnEachEngine("Two nodes with emails to send", (engine) => {
  setUp(engine);

  test("leave an email to the node that is sending it", async () => {
    const mails = await startMailServer();
    const options = { engine, database, smtpUrl: mails.url, secretKey: "ab".repeat(32) };
    const [first, second] = [await startServer(options), await startServer(options)];
    const [ada, bob] = [freshEmail("ada"), freshEmail("bob")];
    const held = Promise.withResolvers<void>();
    mails.hold = ({ to }) => (to === ada ? held.promise : Promise.resolve());
    await signUp(first, { email: ada });
    await expect.poll(waiting).toMatchObject([{ tries: 1 }]);
    await signUp(second, { email: bob });
    await expect.poll(() => mails.to(bob)).toHaveLength(1);
    held.resolve();
    await expect.poll(waiting).toEqual([]);
    await Promise.all([first.close(), second.close()]);
    expect(mails.to(ada)).toHaveLength(1);
  });

  test("send each of many emails once between them", async () => {
    const mails = await startMailServer();
    const options = { engine, database, smtpUrl: mails.url, secretKey: "ab".repeat(32) };
    const nodes = [await startServer(options), await startServer(options)] as const;
    const message = { subject: "Hello", text: "Hello\n", html: "<p>Hello</p>" };
    const emails = Array.from({ length: 60 }, () => ({ to: freshEmail(), message }));
    const { parts } = nodes[0].latchkey;
    await parts.database.write((write) => writeEmails(parts, write, emails, nodes[0].clock.now()));
    nodes[1].latchkey.parts.mailer.sendDue();
    await expect.poll(waiting, { timeout: 20_000 }).toEqual([]);
    await Promise.all(nodes.map((node) => node.close()));
    expect(mails.received.map(({ to }) => to).sort()).toEqual(emails.map(({ to }) => to).sort());
  });
});

describeOnEachEngine("A transaction that is rolled back", (engine) => {
  setUp(engine);

  test("sends none of the emails that it has written", async () => {
    const mails = await startMailServer();
    const server = await startServer({ engine, database, smtpUrl: mails.url });
    const { parts } = server.latchkey;
    const lost = { to: freshEmail("lost"), message: { subject: "Never", text: "x", html: "x" } };
    const failing = parts.database.write(async (write) => {
      await writeEmails(parts, write, [lost], server.clock.now());
      throw new Error("rolled back");
    });
    await expect(failing).rejects.toThrow("rolled back");
    const { email } = await signUp(server);
    await expect.poll(() => mails.to(email)).toHaveLength(1);
    await server.close();
    expect(mails.received).toHaveLength(1);
  });

  test("undoes a change whose email can't be written", async () => {
    const mails = await startMailServer();
    const server = await startServer({ engine, database, smtpUrl: mails.url });
    const { client, email } = await signUp(server);
    await expect.poll(waiting).toEqual([]);
    const { parts } = server.latchkey;
    const rename = (from: string, to: string) =>
      parts.database.write(({ query }) => query.schema.alterTable(from).renameTo(to).execute());
    await rename("outgoing_email", "outgoing_email_away");
    const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expect((await client.put("/api/account/password", change)).status).toBeGreaterThanOrEqual(500);
    await rename("outgoing_email_away", "outgoing_email");
    expectStatus(201, await server.client().post("/api/session", { email, password: PASSWORD }));
    await server.close();
    expect(withSubject(mails.received, CHANGED)).toEqual([]);
  });
});
