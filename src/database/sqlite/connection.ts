import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type LimitNode,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  ValueNode,
} from "kysely";
import { DatabaseUnavailable } from "../database.ts";
import { type Deadline, deadlineIn } from "../deadline.ts";
import { asUnavailable, isBusy } from "./faults.ts";

/** How long a write may wait in the queue and for another program's lock, in ms; then it fails. */
const WRITE_TIMEOUT = 10_000;
const LOCKED = "The database file stayed locked by another program.";
/** The longest SQL kept prepared, in characters. Longer ones insert many rows, and few are used twice. */
const LONGEST_KEPT = 2_000;

/**
 * Kysely's dialect over `node:sqlite`. Statements are prepared once, except long ones. Transactions begin
 * IMMEDIATE, since a deferred one that reads and then writes fails at once if another process commits in
 * between. Waiting for another process's lock doesn't block the event loop. `afterTransaction` runs as soon
 * as a transaction has ended, committed or not.
 */
export function sqliteDialect(database: DatabaseSync, afterTransaction = () => {}): Dialect {
  return {
    createDriver: () => createDriver(database, afterTransaction),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new QueryCompiler(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  };
}

/**
 * Writes limits into the SQL text: with a limit as a parameter, SQLite prepares the statement again each
 * time.
 */
class QueryCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    if (ValueNode.is(node.limit)) this.append(`limit ${Number(node.limit.value)}`);
    else super.visitLimit(node);
  }
}

/** Shares one connection: first come, first served. */
function createDriver(database: DatabaseSync, afterTransaction: () => void): Driver {
  const prepare = createStatements(database);
  const connection = createConnection(prepare);
  const run = (sql: string) => prepare(sql).statement.run();
  const waiting: (() => void)[] = [];
  let isTaken = false;
  let deadline: Deadline = 0;
  return {
    init: async () => {},
    async acquireConnection() {
      const own = deadlineIn(WRITE_TIMEOUT);
      if (isTaken) await new Promise<void>((resolve) => waiting.push(resolve));
      isTaken = true;
      deadline = own;
      return connection;
    },
    async releaseConnection() {
      const next = waiting.shift();
      if (next) next();
      else isTaken = false;
    },
    async beginTransaction() {
      for (;;) {
        try {
          run("begin immediate");
          return;
        } catch (error) {
          if (!isBusy(error)) throw asUnavailable(error);
          // The deadline counts from when the write joined the queue, so that queued writes don't time out in
          // turn.
          if (performance.now() >= deadline) throw new DatabaseUnavailable(LOCKED);
          await wait(5);
        }
      }
    },
    async commitTransaction() {
      try {
        run("commit");
      } catch (error) {
        throw asUnavailable(error);
      }
      afterTransaction();
    },
    async rollbackTransaction() {
      // SQLite has already rolled back after some errors, such as a full disk.
      if (database.isTransaction) run("rollback");
      afterTransaction();
    },
    destroy: async () => {},
  };
}

function createConnection(prepare: ReturnType<typeof createStatements>): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      try {
        const { statement, reads } = prepare(query.sql);
        const parameters = query.parameters as SQLInputValue[];
        if (reads) return { rows: statement.all(...parameters) as Row[] };
        return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) };
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    streamQuery() {
      throw new Error("Latchkey reads in pages, not in streams.");
    },
  };
}

function createStatements(database: DatabaseSync) {
  const prepared = new Map<string, { statement: StatementSync; reads: boolean }>();
  return (sql: string) => {
    const known = prepared.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    const made = { statement, reads: statement.columns().length > 0 };
    if (sql.length <= LONGEST_KEPT) prepared.set(sql, made);
    return made;
  };
}
