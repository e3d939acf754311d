import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { EngineName } from "./engine-names.ts";
import type { Engine, TestDatabase } from "./engines.ts";

type Value = string | number | boolean | null;
export type OldRow = Record<string, Value>;

/** Another system's database, as its own migrations create it. */
export class OldSystem {
  readonly #database: TestDatabase;
  readonly #engine: EngineName;

  static async create(engine: Engine, tables: Record<EngineName, string>): Promise<OldSystem> {
    const system = new OldSystem(await engine.createDatabase(), engine.name);
    await system.#run(tables[engine.name]);
    return system;
  }

  private constructor(database: TestDatabase, engine: EngineName) {
    this.#database = database;
    this.#engine = engine;
  }

  /** What `latchkey import` is given. */
  get place(): string {
    return this.#database.url.replace(/^sqlite:/, "");
  }

  async insert(table: string, row: OldRow): Promise<void> {
    const columns = Object.keys(row).map((name) => `"${name}"`);
    const values = Object.values(row).map((value) => this.#literal(value));
    await this.#run(`insert into "${table}" (${columns.join(", ")}) values (${values.join(", ")})`);
  }

  drop(): Promise<void> {
    return this.#database.drop();
  }

  #literal(value: Value): string {
    if (value === null) return "null";
    if (typeof value === "boolean" && this.#engine === "sqlite") return value ? "1" : "0";
    return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
  }

  async #run(statements: string): Promise<void> {
    if (this.#engine === "postgres") return void (await this.#database.read(statements));
    const open = new DatabaseSync(this.place);
    try {
      open.exec(statements);
    } finally {
      open.close();
    }
  }
}

/** As better-auth's own migration creates them, with its plugins for two factors and administrators. */
export const BETTER_AUTH_TABLES: Record<EngineName, string> = {
  sqlite: betterAuthTables("integer", "date"),
  postgres: betterAuthTables("boolean", "timestamptz"),
};

function betterAuthTables(truth: string, time: string): string {
  return `
    create table "user" ("id" text not null primary key, "name" text not null, "email" text not null unique, "emailVerified" ${truth} not null, "image" text, "createdAt" ${time} not null, "updatedAt" ${time} not null, "twoFactorEnabled" ${truth}, "role" text, "banned" ${truth}, "banReason" text, "banExpires" ${time});
    create table "session" ("id" text not null primary key, "expiresAt" ${time} not null, "token" text not null unique, "createdAt" ${time} not null, "updatedAt" ${time} not null, "ipAddress" text, "userAgent" text, "userId" text not null references "user" ("id") on delete cascade, "impersonatedBy" text);
    create table "account" ("id" text not null primary key, "accountId" text not null, "providerId" text not null, "userId" text not null references "user" ("id") on delete cascade, "accessToken" text, "refreshToken" text, "idToken" text, "accessTokenExpiresAt" ${time}, "refreshTokenExpiresAt" ${time}, "scope" text, "password" text, "createdAt" ${time} not null, "updatedAt" ${time} not null);
    create table "verification" ("id" text not null primary key, "identifier" text not null, "value" text not null, "expiresAt" ${time} not null, "createdAt" ${time} not null, "updatedAt" ${time} not null);
    create table "twoFactor" ("id" text not null primary key, "secret" text not null, "backupCodes" text not null, "userId" text not null references "user" ("id") on delete cascade, "verified" ${truth}, "failedVerificationCount" integer, "lockedUntil" ${time});`;
}

/** As the adapter for PostgreSQL documents them, and the same for SQLite. */
export const AUTH_JS_TABLES: Record<EngineName, string> = {
  sqlite: authJsTables("integer primary key autoincrement", "integer", "text"),
  postgres: authJsTables("serial primary key", "integer", "timestamptz"),
};

function authJsTables(key: string, reference: string, time: string): string {
  return `
    create table verification_token (identifier text not null, expires ${time} not null, token text not null, primary key (identifier, token));
    create table accounts (id ${key}, "userId" ${reference} not null, type varchar(255) not null, provider varchar(255) not null, "providerAccountId" varchar(255) not null, refresh_token text, access_token text, expires_at bigint, id_token text, scope text, session_state text, token_type text);
    create table sessions (id ${key}, "userId" ${reference} not null, expires ${time} not null, "sessionToken" varchar(255) not null);
    create table users (id ${key}, name varchar(255), email varchar(255), "emailVerified" ${time}, image text);`;
}

const NOW_AND_THEN = { createdAt: "2024-03-01T09:00:00.000Z", updatedAt: "2024-03-01T09:00:00.000Z" };

/** An id in better-auth's form. */
export function betterAuthId(): string {
  return randomBytes(24).toString("base64").replace(/[+/]/g, "x");
}

/** A user with what better-auth always writes. */
export async function betterAuthUser(system: OldSystem, email: string, more: OldRow = {}): Promise<string> {
  const id = betterAuthId();
  const user = { id, name: "Ada", email, emailVerified: true, image: null, ...NOW_AND_THEN };
  await system.insert("user", { ...user, twoFactorEnabled: false, banned: false, ...more });
  return id;
}

export async function betterAuthAccount(system: OldSystem, userId: string, more: OldRow): Promise<void> {
  await system.insert("account", { id: betterAuthId(), userId, accountId: userId, ...NOW_AND_THEN, ...more });
}

export async function betterAuthSession(system: OldSystem, userId: string, more: OldRow): Promise<void> {
  const times = { ...NOW_AND_THEN, expiresAt: "2100-01-01T00:00:00.000Z" };
  await system.insert("session", { id: betterAuthId(), userId, ...times, ...more });
}
