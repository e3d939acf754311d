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

/** How long a write waits, its turn included, while another program writes; then it gives up, in ms. */
const WRITE_TIMEOUT = 10_000;
const LOCKED = "The database file stayed locked by another program.";
/** Longer statements, in characters, have a list of many rows: a text for each number of rows, and few come twice. */
const LONGEST_KEPT = 2_000;

/**
 * Kysely's dialect over `node:sqlite`: statements are prepared once, except long ones; transactions begin
 * IMMEDIATE (a deferred one that reads and then writes while another process commits fails at once),
 * and waiting for another process's lock leaves the event loop free. `afterTransaction` runs as soon
 * as one has ended, committed or not.
 */
export function sqliteDialect(database: DatabaseSync, afterTransaction = () => {}): Dialect {
  return {
    createDriver: () => createDriver(database, afterTransaction),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new QueryCompiler(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  };
}

/** A limit is part of the text: where it is a parameter, SQLite prepares the statement anew each time. */
class QueryCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    if (ValueNode.is(node.limit)) this.append(`limit ${Number(node.limit.value)}`);
    else super.visitLimit(node);
  }
}

/** There is one connection: first come, first served. */
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
          // Those in line have waited, too: each for the whole time after the one before, the last never got its answer.
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
      // SQLite has rolled back by itself where the disk is full.
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
