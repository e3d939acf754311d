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

/** How long a connection may be waited for, the preparing of the schema included, in ms. */
const CONNECTION_LIMIT = 5_000;

/**
 * The rules rest on READ COMMITTED: a statement that waited for a lock sees what its holder committed.
 * The limits (ms) hold at the server, so that a node that vanished keeps no account locked; that of a
 * statement, its wait for locks included, is below this side's own, so that the connection lives on. One
 * message, for the sake of the round trip, and local to the transaction, for the sake of poolers.
 */
const BEGIN =
  "begin isolation level read committed; set local statement_timeout = 4500; set local idle_in_transaction_session_timeout = 10000";

/**
 * Kysely's dialect over a pool whose statements have a time limit. Statements are unnamed, so they
 * pass a pooler in transaction mode. `ready` runs before a connection is handed out.
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
      // The server answers ROLLBACK where a statement had failed before and its error was ignored.
      if (command !== "COMMIT")
        throw new Error("A statement of this transaction failed; nothing was changed.");
    },
    async rollbackTransaction({ client }: Connection) {
      // A broken connection's transaction is gone already.
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
