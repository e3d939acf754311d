import { chmodSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { MailServer } from "../support/mail/mail-server.ts";
import { expectStatus, PASSWORD, signUp, turnOnTwoFactor } from "../support/requests/people.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { startServer } from "../support/servers/server.ts";

const [OLD, NEW] = ["1a".repeat(32), "2b".repeat(32)];
const engine = engineOf("sqlite");

let database: TestDatabase;
beforeEach(async () => {
  database = await engine.createDatabase();
});
afterEach(() => database.drop());

const doctor = (secretKey: string) =>
  latchkey(["doctor"], {
    cwd: database.folder,
    env: { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: secretKey },
  });

test("doctor counts what can no longer be decrypted after the key was replaced, though the newest second factor can", async () => {
  const mails = await MailServer.start({ mood: "busy" });
  for (const secretKey of [OLD, NEW]) {
    const server = await startServer({ engine, database, secretKey, smtpUrl: mails.url });
    await turnOnTwoFactor(server, await signUp(server));
    await server.close();
  }
  await mails.stop();
  const { code, out } = await doctor(NEW);
  expect(code).toBe(1);
  expect(out).toMatch(/^fail\s+The key does not open 1 of 2 second factors: LATCHKEY_SECRET_KEY /m);
  expect(out).toMatch(/^fail\s+The key does not open 2 of \d waiting emails: LATCHKEY_SECRET_KEY /m);
  const both = await doctor(`${NEW},${OLD}`);
  expect(both.out).toMatch(/^ok\s+The key opens all second factors \(2\)\.$/m);
  expect(both.code).toBe(0);
});

test("doctor, and a start without the key file, don't count a second factor that someone began to set up and abandoned", async () => {
  const server = await startServer({ engine, database, secretKey: OLD });
  const { client } = await signUp(server);
  expectStatus(201, await client.post("/api/account/two-factor", { currentPassword: PASSWORD }));
  await server.latchkey.parts.mailer.settled();
  await server.close();
  expect(await doctor(NEW)).toMatchObject({ code: 0, out: expect.not.stringContaining("second factors") });
  const env = { DATABASE_URL: database.url };
  expect(await latchkey(["accounts", "list"], { cwd: database.folder, env })).toMatchObject({ code: 0 });
});

test("doctor says that others can read the database file, and how to prevent that", async () => {
  const file = database.url.replace(/^sqlite:/, "");
  await (await startServer({ engine, database, secretKey: NEW })).close();
  expect((await doctor(NEW)).out).not.toContain("chmod");
  chmodSync(file, 0o644);
  expect((await doctor(NEW)).out).toMatch(/^warn\s+\S+ can be read by others, .* chmod 600 it\.$/m);
});
