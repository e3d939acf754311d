import { afterEach, beforeEach, expect, test } from "vitest";
import { hashToken } from "../../src/sessions/token.ts";
import { describeOnEachEngine, type Engine, type TestDatabase } from "../support/databases/engines.ts";
import { loadSchema } from "../support/databases/old-database.ts";
import { Clock } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const MADE = Date.parse("2026-09-01T12:00:00Z");
const CONFIRMED = Date.parse("2026-09-02T12:00:00Z");
const NOW = "2026-09-04T12:00:00Z";
const LATER = Date.parse("2026-09-30T12:00:00Z");
const REVERSAL = "R".repeat(43);

/** How the account's address had been confirmed, and since when the account counts as its owner's. */
const ACCOUNTS = {
  "nobody-confirmed": { confirmedAt: null, elsewhere: 0, ownerSince: null, keeps2fa: false },
  "confirmed-elsewhere": { confirmedAt: CONFIRMED, elsewhere: 1, ownerSince: CONFIRMED, keeps2fa: false },
  "confirmed-at-home-or-laundered": {
    confirmedAt: CONFIRMED,
    elsewhere: 0,
    ownerSince: CONFIRMED,
    keeps2fa: true,
  },
  "confirmed-from-the-beginning": { confirmedAt: MADE, elsewhere: 0, ownerSince: 0, keeps2fa: true },
};

function rowsFor({ name }: Engine): string {
  const bytes = (hash: Uint8Array) => {
    const hex = Buffer.from(hash).toString("hex");
    return name === "sqlite" ? `x'${hex}'` : `'\\x${hex}'`;
  };
  const accounts = Object.entries(ACCOUNTS).map(
    ([id, { confirmedAt, elsewhere }]) => `
      insert into account (id, email, email_key, email_verified_at, confirmed_elsewhere, created_at)
        values ('${id}', '${id}@example.test', '${id}@example.test', ${confirmedAt}, ${elsewhere}, ${MADE});
      insert into activity (id, account_id, kind, at, label, detail)
        values ('made-${id}', '${id}', 'account_created', ${MADE}, 'Safari on iOS', '{}');
      insert into passkey (id, account_id, credential_id, public_key, counter, transports, name, created_at)
        values ('key-${id}', '${id}', '${id}', ${bytes(new Uint8Array([1]))}, 0, '[]', 'Key', ${MADE});
      insert into two_factor (account_id, secret, confirmed_at, created_at)
        values ('${id}', ${bytes(new Uint8Array([1]))}, ${MADE}, ${MADE});
      insert into session (token_hash, id, account_id, label, created_at, expires_at, last_used_at, signed_in_with, method_id, proved_at)
        values (${bytes(hashToken(tokenOf(id)))}, 'session-${id}', '${id}', 'Safari on iOS', ${MADE}, ${LATER}, ${MADE}, 'passkey', 'key-${id}', ${MADE});`,
  );
  return `${accounts.join("\n")}
    insert into mailed_link (token_hash, kind, account_id, email, email_key, never_proved, confirmed_at, created_at, expires_at)
      values (${bytes(hashToken(REVERSAL))}, 'keep_email', 'confirmed-elsewhere', 'mistyped@example.test', 'mistyped@example.test', 1, ${CONFIRMED}, ${CONFIRMED}, ${LATER});`;
}

const tokenOf = (id: string) => `lk1_${id.padEnd(43, "x").slice(0, 43)}`;

describeOnEachEngine("A database with schema version 5", (engine) => {
  let database: TestDatabase;
  let server: TestServer;
  beforeEach(async () => {
    database = await engine.createDatabase();
    await loadSchema(database, engine, 5, rowsFor(engine));
    const clock = new Clock();
    clock.setTo(NOW);
    server = await startServer({ engine, database, clock });
  });
  afterEach(async () => {
    await server.close();
    await database.drop();
  });

  test("keeps every account, session and login method", async () => {
    for (const id of Object.keys(ACCOUNTS)) {
      const client = server.client();
      client.token = tokenOf(id);
      await expectSignedIn(client);
    }
    const [counted] = await database.read(
      "select (select count(*) from passkey) as passkeys, (select count(*) from two_factor) as second_factors",
    );
    expect([Number(counted?.passkeys), Number(counted?.second_factors)]).toEqual([4, 4]);
  });

  test("distrusts what is older than the confirmation of the address, and keeps 2FA that its owner used", async () => {
    const rows = await database.read(
      "select account.id, owner_since, accepted_at, created_label from account join two_factor on account_id = account.id",
    );
    const number = (value: unknown) => (value === null ? null : Number(value));
    const found = rows.map(({ id, owner_since, accepted_at, created_label }) => [
      id,
      { ownerSince: number(owner_since), keeps2fa: accepted_at !== null, label: created_label },
    ]);
    const expected = Object.entries(ACCOUNTS).map(([id, { ownerSince, keeps2fa }]) => [
      id,
      { ownerSince, keeps2fa, label: "Safari on iOS" },
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
  });

  test("gives no account back to an address that was never confirmed, and doesn't reserve that address", async () => {
    const { client } = { client: server.client() };
    expectRefusal(await client.post("/api/email-reversals", { token: REVERSAL }), 410, "link_expired");
    const email = "mistyped@example.test";
    expect((await client.post("/api/accounts", { email, password: "quartz-Lantern-burrow-58" })).status).toBe(
      201,
    );
  });
});
