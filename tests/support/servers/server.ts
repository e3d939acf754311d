import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { holdStrengthThread } from "../../../src/credentials/passwords/password-strength-thread.ts";
import { listen } from "../../../src/http/listen.ts";
import { createLatchkey, type Latchkey, type LatchkeyOptions } from "../../../src/index.ts";
import type { Engine, TestDatabase } from "../databases/engines.ts";
import { Outbox } from "../mail/outbox.ts";
import { Client } from "../requests/client.ts";
import { Clock } from "../requests/clock.ts";
import { freePort } from "./free-port.ts";

export type TestServer = {
  readonly latchkey: Latchkey;
  readonly baseUrl: string;
  readonly port: number;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly database: TestDatabase;
  readonly secretKey: string;
  /** A browser that has never been here. */
  client(userAgent?: string): Client;
  close(): Promise<void>;
};

export type ServerOptions = Omit<LatchkeyOptions, "databaseUrl" | "now" | "outbox" | "port" | "host"> & {
  engine: Engine;
  /** The path that Latchkey is mounted below, on the origin that it listens on. */
  basePath?: string;
  /** A database that another server of the test uses too; it is not dropped. */
  database?: TestDatabase;
  clock?: Clock;
};

const TRIES = 3;

// Servers come and go in a test run; the thread that checks password strength stays, since each start of it
// costs a second.
holdStrengthThread();

/** A real HTTP server on its own database, with a clock that the test controls. */
export async function startServer(options: ServerOptions): Promise<TestServer> {
  const { engine, basePath = "", database: shared, clock = new Clock(), ...rest } = options;
  const database = shared ?? (await engine.createDatabase());
  const secretKey = rest.secretKey ?? randomBytes(32).toString("hex");
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const baseUrl = rest.baseUrl ?? `http://localhost:${port}${basePath}`;
    const folder = join(database.folder, "outbox");
    const latchkey = await createLatchkey({
      logLevel: "silent",
      ...rest,
      secretKey,
      baseUrl,
      databaseUrl: database.url,
      outbox: folder,
      now: clock.now,
    });
    try {
      const listening = await listen(latchkey, { port, host: "127.0.0.1" });
      return {
        latchkey,
        baseUrl,
        port,
        clock,
        outbox: new Outbox(folder, async () => {
          await latchkey.parts.settled();
          await latchkey.parts.mailer.settled();
        }),
        database,
        secretKey,
        client: (userAgent) => new Client({ baseUrl, port, userAgent }),
        async close() {
          await listening.close();
          await latchkey.close();
          if (!shared) await database.drop();
        },
      };
    } catch (error) {
      await latchkey.close();
      if (!isTaken(error) || tries === TRIES) throw error;
    }
  }
}

/** One server for all the tests of a suite; each brings its own accounts. */
export function serverFor(engine: Engine, options: Omit<ServerOptions, "engine"> = {}): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startServer({ engine, ...options });
  });
  afterAll(() => server?.close());
  return () => {
    if (!server) throw new Error("The server runs in tests only.");
    return server;
  };
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
