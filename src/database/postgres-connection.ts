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
import type { Client, Pool } from "./postgres-pool.ts";
import { ask, giveBack, takeClient } from "./postgres-pool.ts";

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
    await this.#ready();
    return new PostgresConnection(await takeClient(this.#pool));
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    giveBack(connection.client);
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await ask(connection.client, { text: "begin" });
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await ask(connection.client, { text: "commit" });
  }

  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    await ask(connection.client, { text: "rollback" });
  }

  async destroy(): Promise<void> {}
}

class PostgresConnection implements DatabaseConnection {
  readonly client: Client;

  constructor(client: Client) {
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
