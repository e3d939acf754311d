import { existsSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { keyFileOf } from "../../src/credentials/key-file.ts";
import { createLatchkey } from "../../src/index.ts";
import { engineOf } from "../support/databases/engines.ts";
import { MailServer } from "../support/mail/mail-server.ts";
import { signInWithCode, signUp, turnOnTwoFactor } from "../support/requests/people.ts";
import { startServer } from "../support/servers/server.ts";

const KEY = "1a".repeat(32);
const NEW = "2b".repeat(32);

// PostgreSQL has no key file.
describe("Without the key that secrets were encrypted with", () => {
  const engine = engineOf("sqlite");

  test("no new key file is created while there is a second factor; once it is put back, everything works", async () => {
    const database = await engine.createDatabase();
    const keyFile = keyFileOf(database.url.replace(/^sqlite:/, ""));
    const first = await startServer({ engine, database, secretKey: KEY });
    const person = await signUp(first);
    const { secret } = await turnOnTwoFactor(first, person);
    await first.latchkey.parts.mailer.settled();
    await first.close();

    const open = () => createLatchkey({ databaseUrl: database.url, logLevel: "silent" });
    await expect(open()).rejects.toThrow(/latchkey\.key is missing, and .* LATCHKEY_SECRET_KEY /);
    await expect(open()).rejects.toThrow(/reset-two-factor\.$/);
    expect(existsSync(keyFile)).toBe(false);

    writeFileSync(keyFile, `${KEY}\n`, { mode: 0o600 });
    await (await open()).close();
    const back = await startServer({ engine, database, secretKey: KEY });
    await signInWithCode(back, person, secret);
    await back.close();
    await database.drop();
  });

  test("none is created while an email waits; a key that is set is used, and then nobody can read the email", async () => {
    const database = await engine.createDatabase();
    const mails = await MailServer.start({ mood: "busy" });
    const first = await startServer({ engine, database, secretKey: KEY, smtpUrl: mails.url });
    await signUp(first);
    await first.close();
    await expect(createLatchkey({ databaseUrl: database.url, logLevel: "silent" })).rejects.toThrow(
      /latchkey\.key is missing/,
    );
    const second = await startServer({ engine, database, secretKey: NEW, smtpUrl: mails.url });
    await second.close();
    await mails.stop();
    await database.drop();
  });

  test("one is created if nothing is encrypted, readable by this user alone", async () => {
    const database = await engine.createDatabase();
    const keyFile = keyFileOf(database.url.replace(/^sqlite:/, ""));
    const latchkey = await createLatchkey({ databaseUrl: database.url, logLevel: "silent" });
    await latchkey.close();
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    await database.drop();
  });
});
