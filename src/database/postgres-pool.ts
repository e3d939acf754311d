import pg from "pg";
import { DatabaseUnavailable } from "./database.ts";

/** How long one statement may take before its connection is given up, in ms. */
const STATEMENT_LIMIT = 5_000;
const CONNECT_LIMIT = 5_000;

const INT8 = 20;

/** Times are bigint columns in ms: they fit a number until the year 287396. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === INT8 ? (text: string) => Number(text) : pg.types.getTypeParser(oid, format),
};

export type Pool = pg.Pool;
export type Client = pg.PoolClient;

/** Opens a pool; a connection that breaks while idle is dropped from it without further ado. */
export function openPool(url: string, most: number): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: most,
    types,
    connectionTimeoutMillis: CONNECT_LIMIT,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: "latchkey",
  });
  pool.on("error", () => {});
  // The pool hears only of idle connections; one that breaks while it is in use would end the process.
  pool.on("connect", (client) => client.on("error", () => broken.add(client as Client)));
  return pool;
}

/** Takes a connection out of the pool. @throws DatabaseUnavailable where none can be had in time. */
export async function takeClient(pool: Pool): Promise<Client> {
  try {
    return await pool.connect();
  } catch (error) {
    throw asUnavailable(error);
  }
}

/**
 * Runs one statement within the time limit. A connection that failed or didn't answer in time is
 * marked, so that it is closed and never used again.
 * @throws DatabaseUnavailable where the server is gone, silent or read-only; anything else as it is.
 */
export async function ask<Row extends pg.QueryResultRow>(
  client: Client,
  query: { text: string; values?: unknown[]; name?: string },
): Promise<pg.QueryResult<Row>> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new DatabaseUnavailable("The database did not answer in time.")),
      STATEMENT_LIMIT,
    );
  });
  try {
    return await Promise.race([client.query<Row>({ ...query, values: query.values ?? [] }), limit]);
  } catch (error) {
    const failure = asUnavailable(error);
    if (failure instanceof DatabaseUnavailable) broken.add(client);
    throw failure;
  } finally {
    clearTimeout(timer);
  }
}

const broken = new WeakSet<Client>();

/** Gives a connection back, or closes it where it broke. */
export function giveBack(client: Client): void {
  client.release(broken.has(client));
}

/** SQLSTATE classes and codes that mean "not now": connection, resources, shutdown, a standby. */
const NOT_NOW = /^(08|53|57P|58|25006)/;

function asUnavailable(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable || !(error instanceof Error)) return error;
  const code = (error as { code?: unknown }).code;
  const fromServer = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && "severity" in error;
  if (fromServer && !NOT_NOW.test(code)) return error;
  return new DatabaseUnavailable("The database did not answer.", { cause: error });
}
