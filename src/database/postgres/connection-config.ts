import type { Socket } from "node:net";
import pg from "pg";
import { DatabaseUnusable } from "../database.ts";

/** How long a connection may take to be opened, in ms. */
const CONNECT_LIMIT = 5_000;
/** When an idle connection is probed, in ms, so that no firewall drops it and a lost one is noticed. */
const PROBED_AFTER = 10_000;

/** The configuration that all connections to PostgreSQL share; `openSocket` creates the socket of each. */
export function connectionConfig(url: string, openSocket: () => Socket): pg.ClientConfig {
  return {
    connectionString: withPlainTlsMode(url),
    stream: openSocket,
    connectionTimeoutMillis: CONNECT_LIMIT,
    keepAlive: true,
    keepAliveInitialDelayMillis: PROBED_AFTER,
  };
}

/** @throws DatabaseUnusable if the URL names a file that can't be read, such as one of certificates. */
export function requireReadable(setting: string, url: string): void {
  try {
    new pg.Client({ connectionString: withPlainTlsMode(url) });
  } catch (error) {
    throw new DatabaseUnusable(
      `${setting} can't be used: ${error instanceof Error ? error.message : error}.`,
    );
  }
}

/** The driver verifies the certificate in each of these modes, and warns at length of all except `verify-full`. */
function withPlainTlsMode(url: string): string {
  if (/[?&]uselibpqcompat=true(&|$)/.test(url)) return url;
  return url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/, "$1verify-full");
}
