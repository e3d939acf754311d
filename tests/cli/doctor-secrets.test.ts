import { chmodSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { engineOf, type TestDatabase } from "../support/databases/engines.ts";
import { MailServer } from "../support/mail/mail-server.ts";
import { signUp, turnOnTwoFactor } from "../support/requests/people.ts";
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

test("doctor counts what a replaced key no longer opens, though the newest second factor has the new one", async () => {
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

test("doctor says that others can read the database file, and how to keep them from it", async () => {
  const file = database.url.replace(/^sqlite:/, "");
  await (await startServer({ engine, database, secretKey: NEW })).close();
  expect((await doctor(NEW)).out).not.toContain("chmod");
  chmodSync(file, 0o644);
  expect((await doctor(NEW)).out).toMatch(/^warn\s+\S+ can be read by others, .* chmod 600 it\.$/m);
});
