import type { Socket } from "node:net";
import pg from "pg";
import { DatabaseUnusable } from "../database.ts";

/** How long a connection may take to be opened, in ms. */
const CONNECT_LIMIT = 5_000;
/** A connection that is idle for so long is probed, in ms, so that no network forgets it and its loss is noticed. */
const PROBED_AFTER = 10_000;

/** What every connection to PostgreSQL has in common; `openSocket` gives it its socket. */
export function connectionConfig(url: string, openSocket: () => Socket): pg.ClientConfig {
  return {
    connectionString: withPlainTlsMode(url),
    stream: openSocket,
    connectionTimeoutMillis: CONNECT_LIMIT,
    keepAlive: true,
    keepAliveInitialDelayMillis: PROBED_AFTER,
  };
}

/** @throws DatabaseUnusable where the URL names a file that isn't there, such as one of certificates. */
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
