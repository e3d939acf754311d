import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import { deadlineIn, within } from "../deadline.ts";
import { ask, giveBack, isBroken, type Pool, type TakenClient, takeClient } from "./pool.ts";

/** How long to wait for a connection, preparing the schema included, in ms. */
const CONNECTION_LIMIT = 5_000;

/**
 * The code relies on READ COMMITTED: a statement that waited for a lock sees what the lock's holder
 * committed. The server enforces the limits (ms), so that a node that has vanished keeps no account locked.
 * The limit on a statement includes its wait for locks; it is below this side's own limit, so that the
 * connection survives. All in one message, to save round trips; the settings are local to the transaction, so
 * that other clients of a pooler don't get them.
 */
const BEGIN =
  "begin isolation level read committed; set local statement_timeout = 4500; set local idle_in_transaction_session_timeout = 10000";

/**
 * Kysely's dialect over a pool whose statements have a time limit. Statements are unnamed, so that they
 * work through a pooler in transaction mode. `ready` runs before a connection is handed out.
 */
export function postgresDialect(pool: Pool, ready: () => Promise<void>): Dialect {
  return {
    createDriver: () => createDriver(pool, ready),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
  };
}

type Connection = DatabaseConnection & { readonly client: TakenClient };

function createDriver(pool: Pool, ready: () => Promise<void>): Driver {
  return {
    init: async () => {},
    async acquireConnection() {
      const deadline = deadlineIn(CONNECTION_LIMIT);
      await within(deadline, ready());
      return createConnection(await takeClient(pool, deadline));
    },
    async releaseConnection({ client }: Connection) {
      giveBack(client);
    },
    async beginTransaction({ client }: Connection) {
      await ask(client, { text: BEGIN });
    },
    async commitTransaction({ client }: Connection) {
      const { command } = await ask(client, { text: "commit" });
      // The server answers ROLLBACK if an earlier statement failed and its error was ignored.
      if (command !== "COMMIT")
        throw new Error("A statement of this transaction failed; nothing was changed.");
    },
    async rollbackTransaction({ client }: Connection) {
      // The server rolls back the transaction of a broken connection by itself.
      if (!isBroken(client)) await ask(client, { text: "rollback" });
    },
    destroy: async () => {},
  };
}

function createConnection(client: TakenClient): Connection {
  return {
    client,
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const result = await ask(client, { text: query.sql, values: [...query.parameters] });
      return { rows: result.rows as Row[], numAffectedRows: BigInt(result.rowCount ?? 0) };
    },
    streamQuery() {
      throw new Error("Latchkey reads in pages, not in streams.");
    },
  };
}
