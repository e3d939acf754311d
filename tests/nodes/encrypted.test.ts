import { chmod, chown, copyFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresAt, type TestDatabase } from "../support/databases/engines.ts";
import { type Postgres, startPostgres } from "../support/databases/postgres.ts";
import { latchkey as run } from "../support/servers/command-line.ts";

/** From an authority that no machine trusts, for localhost and 127.0.0.1, valid until 2126. */
const CERTIFICATES = join(import.meta.dirname, "..", "support", "servers", "certificates");

/** Turns TLS on in a running PostgreSQL. */
async function encrypt({ url, place }: Postgres): Promise<void> {
  for (const name of ["server.crt", "server.key"]) {
    const file = join(place.data, name);
    await copyFile(join(CERTIFICATES, name), file);
    await chmod(file, 0o600);
    if (place.owner) await chown(file, place.owner.uid, place.owner.gid);
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("alter system set ssl = on");
  await client.query("select pg_reload_conf()");
  await client.end();
}

describe("A PostgreSQL with TLS and a certificate from a private authority", () => {
  let postgres: Postgres;
  let database: TestDatabase;
  beforeAll(async () => {
    postgres = await startPostgres();
    await encrypt(postgres);
    database = await postgresAt(postgres.url).createDatabase();
  });
  afterAll(async () => {
    await database?.drop();
    await postgres?.stop();
  });

  const migrate = (parameters: Record<string, string>) => {
    const url = new URL(database.url);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    const env = { DATABASE_URL: url.href, LATCHKEY_SECRET_KEY: "ab".repeat(32) };
    return run(["migrate"], { cwd: database.folder, env });
  };

  test.each(["require", "verify-ca", "verify-full"])(
    "stops the start at sslmode=%s with one line that says what to do",
    async (sslmode) => {
      const { code, err } = await migrate({ sslmode });
      expect([code, err.trimEnd().split("\n")]).toEqual([
        1,
        [expect.stringMatching(/^DATABASE_URL: the server's certificate .*sslrootcert=.*sslmode=no-verify/)],
      ]);
    },
  );

  test.each([
    { sslmode: "require", sslrootcert: join(CERTIFICATES, "authority.crt") },
    { sslmode: "verify-full", sslrootcert: join(CERTIFICATES, "authority.crt") },
    { sslmode: "no-verify" },
  ])("is used without a warning with %o", async (parameters) => {
    const { code, err } = await migrate(parameters);
    expect([code, err]).toEqual([0, ""]);
  });

  test("stops the start if the authority's file doesn't exist", async () => {
    const { code, err } = await migrate({ sslmode: "verify-full", sslrootcert: "/nowhere/authority.crt" });
    expect([code, err]).toEqual([1, expect.stringMatching(/^DATABASE_URL can't be used: ENOENT.*\n$/)]);
  });
});
