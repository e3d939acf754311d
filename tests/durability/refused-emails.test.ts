import { afterEach, beforeEach, expect, test } from "vitest";
import { describeOnEachEngine, type TestDatabase } from "../support/databases/engines.ts";
import { MailServer } from "../support/mail/mail-server.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { signUp } from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

describeOnEachEngine("A mail server that answers 5xx", (engine) => {
  let database: TestDatabase;
  let mails: MailServer;
  let server: TestServer;
  beforeEach(async () => {
    database = await engine.createDatabase();
    mails = await MailServer.start();
    server = await startServer({ engine, database, smtpUrl: mails.url });
  });
  afterEach(async () => {
    await server.close();
    await mails.stop();
    await database.drop();
  });

  const waiting = () => database.read("select tries, failure from outgoing_email");

  test.each([
    ["connection", 554, "5.3.2 No SMTP service here"],
    ["sender", 530, "5.7.0 Authentication required"],
    ["sender", 550, "5.7.1 Sender address rejected: not owned by user"],
    ["sender", 501, "5.1.7 Bad sender address syntax"],
    ["recipient", 554, "5.7.1 <ann@example.com>: Relay access denied"],
    ["recipient", 530, "Must issue a STARTTLS command first"],
  ] as const)("to the %s (%s %s) gets the email once it accepts it", async (at, code, words) => {
    mails.refuses = { at, code, words };
    const { email } = await signUp(server);
    await server.latchkey.parts.mailer.settled();
    expect(await waiting()).toEqual([{ tries: 1, failure: expect.stringContaining(`${code}`) }]);
    mails.refuses = null;
    server.clock.advance(11 * MINUTE);
    server.latchkey.parts.mailer.sendDue();
    await expect.poll(waiting).toEqual([]);
    expect(mails.to(email)).toHaveLength(1);
  });

  test.each([
    ["recipient", 550, "5.1.1 No such user here"],
    ["recipient", 553, "No such user here"],
    ["email", 554, "5.7.1 This looks like spam"],
    ["email", 552, "Too large"],
  ] as const)("to the %s (%s %s) is not asked again", async (at, code, words) => {
    mails.refuses = { at, code, words };
    await signUp(server);
    await server.latchkey.parts.mailer.settled();
    expect(await waiting()).toEqual([]);
    expect(mails.received).toEqual([]);
  });
});
