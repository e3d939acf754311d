import { Socket } from "node:net";
import pg from "pg";
import { DatabaseUnavailable } from "../database.ts";
import { type Deadline, deadlineIn, within } from "../deadline.ts";
import { connectionConfig } from "./connection-config.ts";
import { asUnavailable, endsConnection } from "./faults.ts";

/** How long one statement may take before its connection is closed, in ms. */
export const STATEMENT_LIMIT = 5_000;

const INT8 = 20;

/** Times are bigint columns in ms, parsed as numbers, which are exact until the year 287396. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === INT8 ? (text: string) => Number(text) : pg.types.getTypeParser(oid, format),
};

export type Pool = { readonly connections: pg.Pool; readonly sockets: Set<Socket> };
export type Client = pg.ClientBase;
export type TakenClient = pg.PoolClient;

/** The server's own limit on a statement, in ms: below STATEMENT_LIMIT, so that the connection survives. */
const SERVER_LIMIT = 4_500;

/**
 * Opens a pool. A connection that breaks while idle is dropped from it, and one to a standby is never
 * used. With `endsAtServer` the server also cancels a statement that takes too long, which would otherwise
 * wait for a lock when nobody needs its answer any more. Not to be set with a pooler, whose other clients
 * would inherit the limit.
 */
export function openPool(url: string, most: number, { endsAtServer = false } = {}): Pool {
  const sockets = new Set<Socket>();
  const openSocket = () => {
    const socket = new Socket();
    sockets.add(socket);
    return socket.once("close", () => sockets.delete(socket));
  };
  const connections = new pg.Pool({
    ...connectionConfig(url, openSocket),
    max: most,
    types,
    idleTimeoutMillis: 30_000,
    application_name: "latchkey",
    async onConnect(client) {
      await requirePrimary(client);
      if (endsAtServer) await ask(client, { text: LIMIT_AT_SERVER });
    },
  });
  connections.on("error", () => {});
  // The pool handles errors of idle connections only; one of a connection in use would end the process.
  connections.on("connect", (client) => client.on("error", () => broken.add(client)));
  return { connections, sockets };
}

/** Keeps the operator's own limit if it is shorter. */
const LIMIT_AT_SERVER = `select set_config('statement_timeout', '${SERVER_LIMIT}', false) from pg_settings
  where name = 'statement_timeout' and setting::bigint not between 1 and ${SERVER_LIMIT}`;

/** A standby may lag behind, and would accept sessions that have ended. */
async function requirePrimary(client: Client): Promise<void> {
  const { rows } = await ask<{ follows: boolean }>(client, { text: "select pg_is_in_recovery() as follows" });
  if (rows[0]?.follows === false) return;
  throw new DatabaseUnavailable(
    "DATABASE_URL: this server is a standby, whose data may lag; Latchkey needs the primary.",
  );
}

/**
 * Closes all connections: statements under way may finish within their limit, then the sockets are destroyed.
 */
export async function closePool({ connections, sockets }: Pool): Promise<void> {
  await within(deadlineIn(STATEMENT_LIMIT), connections.end()).catch(() => {});
  for (const socket of sockets) socket.destroy();
}

/**
 * Takes a connection from the pool.
 * @throws DatabaseUnavailable if there is none in time, for whatever reason.
 */
export async function takeClient({ connections }: Pool, deadline: Deadline): Promise<TakenClient> {
  const taking = connections.connect();
  try {
    return await within(deadline, taking);
  } catch (error) {
    taking.then(giveBack, () => {});
    if (error instanceof DatabaseUnavailable) throw error;
    throw new DatabaseUnavailable("The database did not answer.", { cause: error });
  }
}

/**
 * Runs one statement until the deadline, by default STATEMENT_LIMIT from now. A connection that failed or
 * didn't answer in time is marked, so that it is closed and never used again.
 * @throws DatabaseUnavailable if the server is gone, silent, overloaded or read-only; other errors as they
 * are.
 */
export async function ask<Row extends pg.QueryResultRow>(
  client: Client,
  query: { text: string; values?: unknown[]; name?: string },
  deadline: Deadline = deadlineIn(STATEMENT_LIMIT),
): Promise<pg.QueryResult<Row>> {
  try {
    return await within(deadline, client.query<Row>({ ...query, values: query.values ?? [] }));
  } catch (error) {
    if (endsConnection(error)) broken.add(client);
    throw asUnavailable(error);
  }
}

const broken = new WeakSet<Client>();

export function isBroken(client: Client): boolean {
  return broken.has(client);
}

/** Returns a connection to the pool, or closes it if it broke. */
export function giveBack(client: TakenClient): void {
  client.release(isBroken(client));
}
