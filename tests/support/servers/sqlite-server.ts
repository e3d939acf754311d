import { afterAll, beforeAll } from "vitest";
import { engineOf } from "../databases/engines.ts";
import { type ServerOptions, startServer, type TestServer } from "./server.ts";

/**
 * One server on the embedded database for all the tests of a suite; for what doesn't depend on the engine.
 */
export function serverOn(options: Omit<ServerOptions, "engine"> = {}): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await startServer({ engine: engineOf("sqlite"), ...options });
  });
  afterAll(() => server?.close());
  return () => {
    if (!server) throw new Error("The server runs in tests only.");
    return server;
  };
}
