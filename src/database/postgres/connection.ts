import type {
  CompiledQuery,
  DatabaseConnection,
  DatabaseIntrospector,
  Dialect,
  Driver,
  Kysely,
  QueryResult,
} from "kysely";
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import { deadlineIn, within } from "../deadline.ts";
import type { Pool, TakenClient } from "./pool.ts";
import { ask, giveBack, isBroken, takeClient } from "./pool.ts";

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
    createDriver: () => new PostgresDriver(pool, ready),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new PostgresIntrospector(db),
  };
}

class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #ready: () => Promise<void>;

  constructor(pool: Pool, ready: () => Promise<void>) {
    this.#pool = pool;
    this.#ready = ready;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    const deadline = deadlineIn(CONNECTION_LIMIT);
    await within(deadline, this.#ready());
    return new PostgresConnection(await takeClient(this.#pool, deadline));
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    giveBack(connection.client);
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await ask(connection.client, { text: BEGIN });
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    const { command } = await ask(connection.client, { text: "commit" });
    // The server answers ROLLBACK where a statement had failed before and its error was ignored.
    if (command !== "COMMIT") throw new Error("A statement of this transaction failed; nothing was changed.");
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    // The transaction went with its connection.
    if (isBroken(connection.client)) return;
    await ask(connection.client, { text: "rollback" });
  }

  async destroy(): Promise<void> {}
}

class PostgresConnection implements DatabaseConnection {
  readonly client: TakenClient;

  constructor(client: TakenClient) {
    this.client = client;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const result = await ask(this.client, { text: query.sql, values: [...query.parameters] });
    return { rows: result.rows as Row[], numAffectedRows: BigInt(result.rowCount ?? 0) };
  }

  // biome-ignore lint/correctness/useYield: nothing here streams, and Kysely wants the method.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("Latchkey reads in pages, not in streams.");
  }
}
