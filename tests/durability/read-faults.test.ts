import { truncateSync } from "node:fs";
import { afterAll, beforeAll, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { signUp } from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ engine: engineOf("sqlite") });
});
afterAll(() => server.close());

test("If the embedded database can't be read, a check is answered with 503, not as a bug", async () => {
  const { client } = await signUp(server);
  // The commit is only in the write-ahead log so far, and reading that is an I/O error then.
  truncateSync(`${server.database.url.slice("sqlite:".length)}-wal`, 0);
  expectRefusal(await client.get("/verify"), 503, "unavailable");
});
