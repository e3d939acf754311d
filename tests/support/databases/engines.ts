import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, inject } from "vitest";
import { type EngineName, engineNames } from "./engine-names.ts";
import { queryAt } from "./postgres.ts";

/** An unused database, for one server or several on the same data. */
export type TestDatabase = {
  readonly url: string;
  /** Its own temporary folder, for what a server stores beside it. */
  readonly folder: string;
  /** Reads directly, bypassing the server, to see what is at rest. */
  read(sql: string): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
};

export type Engine = { readonly name: EngineName; createDatabase(): Promise<TestDatabase> };

/** One engine, for tests of what doesn't depend on the engine. */
export function engineOf(name: EngineName): Engine {
  return engines[name];
}

const engines: Record<EngineName, Engine> = {
  sqlite: { name: "sqlite", createDatabase: createSqlite },
  postgres: {
    name: "postgres",
    createDatabase: async () => {
      const url = inject("postgresUrl");
      if (url === null) throw new Error("This run has no PostgreSQL.");
      return createPostgres(url);
    },
  },
};

/** A PostgreSQL that the caller has started, for programs outside a test run. */
export function postgresAt(url: string): Engine {
  return { name: "postgres", createDatabase: () => createPostgres(url) };
}

/** The same suite on each engine. */
export function describeOnEachEngine(name: string, suite: (engine: Engine) => void): void {
  for (const engine of engineNames()) describe(`${name} (${engine})`, () => suite(engines[engine]));
}

async function createSqlite(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-test-"));
  const file = join(folder, "latchkey.db");
  return {
    url: `sqlite:${file}`,
    folder,
    async read(sql) {
      const open = new DatabaseSync(file, { readOnly: true });
      try {
        return open.prepare(sql).all();
      } finally {
        open.close();
      }
    },
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

async function createPostgres(adminUrl: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), "latchkey-test-"));
  await queryAt(adminUrl, `create database ${name}`);
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  return {
    url,
    folder,
    read: (sql) => queryAt(url, sql),
    async drop() {
      await queryAt(adminUrl, `drop database ${name} with (force)`);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
