import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import type {
  CompiledQuery,
  DatabaseConnection,
  DatabaseIntrospector,
  Dialect,
  Driver,
  Kysely,
  QueryResult,
} from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { DatabaseUnavailable } from "../database.ts";
import { asUnavailable, isBusy } from "./faults.ts";

/** How long a write waits for another process's write before it gives up, in ms. */
const WRITE_PATIENCE = 10_000;
/** Longer statements, in characters, have a list of many rows: a text for each number of them, of which few come twice. */
const LONGEST_HELD = 2_000;

/**
 * Kysely's dialect over `node:sqlite`: all but long statements are prepared once and held, transactions begin
 * IMMEDIATE (a deferred one that reads and then writes while another process commits fails at once),
 * and whoever waits for another process's lock leaves the event loop free. `afterTransaction` runs as soon
 * as one has ended, committed or not.
 */
export function sqliteDialect(open: DatabaseSync, afterTransaction = () => {}): Dialect {
  return {
    createDriver: () => new SqliteDriver(open, afterTransaction),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new SqliteIntrospector(db),
  };
}

class SqliteDriver implements Driver {
  readonly #open: DatabaseSync;
  readonly #connection: SqliteConnection;
  readonly #waiting: (() => void)[] = [];
  readonly #afterTransaction: () => void;
  #taken = false;

  constructor(open: DatabaseSync, afterTransaction: () => void) {
    this.#open = open;
    this.#connection = new SqliteConnection(open);
    this.#afterTransaction = afterTransaction;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken = false;
  }

  async beginTransaction(): Promise<void> {
    const tries = WRITE_PATIENCE / 5;
    for (let tried = 0; tried < tries; tried += 1) {
      try {
        return this.#connection.run("begin immediate");
      } catch (error) {
        if (!isBusy(error)) throw asUnavailable(error);
        await wait(5);
      }
    }
    throw new DatabaseUnavailable("The database file stayed locked by another program.");
  }

  async commitTransaction(): Promise<void> {
    try {
      this.#connection.run("commit");
    } catch (error) {
      throw asUnavailable(error);
    }
    this.#afterTransaction();
  }

  async rollbackTransaction(): Promise<void> {
    // SQLite has rolled back by itself where the disk is full.
    if (this.#open.isTransaction) this.#connection.run("rollback");
    this.#afterTransaction();
  }

  async destroy(): Promise<void> {}
}

class SqliteConnection implements DatabaseConnection {
  readonly #open: DatabaseSync;
  readonly #held = new Map<string, { statement: StatementSync; reads: boolean }>();

  constructor(open: DatabaseSync) {
    this.#open = open;
  }

  run(sql: string): void {
    this.#prepare(sql).statement.run();
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      return this.#execute<Row>(query);
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  #execute<Row>(query: CompiledQuery): QueryResult<Row> {
    const { statement, reads } = this.#prepare(query.sql);
    const parameters = query.parameters as SQLInputValue[];
    if (reads) return { rows: statement.all(...parameters) as Row[] };
    const { changes } = statement.run(...parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: nothing here streams, and Kysely wants the method.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("Latchkey reads in pages, not in streams.");
  }

  #prepare(sql: string) {
    const held = this.#held.get(sql);
    if (held) return held;
    const statement = this.#open.prepare(sql);
    const made = { statement, reads: statement.columns().length > 0 };
    if (sql.length <= LONGEST_HELD) this.#held.set(sql, made);
    return made;
  }
}
