import { describe, expect, test } from "vitest";
import { engineNames } from "../support/databases/engine-names.ts";
import { engineOf } from "../support/databases/engines.ts";
import { FaultProxy } from "../support/databases/fault-proxy.ts";
import type { Answer } from "../support/requests/answers.ts";
import { expectSignedIn } from "../support/requests/expectations.ts";
import { signUp, signUpConfirmed } from "../support/requests/people.ts";
import { type Behind, describeBehindEachProxy, startBehind } from "./behind.ts";

const NAVIGATE = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

/** Refused for now, with every cookie kept; a browser isn't sent to the login page, where it could do nothing. */
function expectUnavailable(answer: Answer): void {
  expect(answer.status, answer.text).toBe(503);
  expect(answer.setCookies).toEqual([]);
  expect(answer.headers["retry-after"]).toBeTruthy();
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.text).toContain("nobody was logged out");
}

await describeBehindEachProxy("An outage behind a proxy", (_, kind, program) => {
  test("of Latchkey is 503: nobody is let through, and nobody is logged out", async () => {
    const behind = await startBehind(kind, program);
    try {
      const { client } = await signUp(behind.server);
      expect((await behind.ask(client, "/")).status).toBe(200);
      await behind.server.close();
      await expectNothingOpen(behind, client);
      expectUnavailable(await client.get("/login", NAVIGATE));
    } finally {
      await behind.stop();
    }
  });

  describe.skipIf(!engineNames().includes("postgres"))("of the database", () => {
    test("is 503 with the cookie kept, and over once the database is back", async () => {
      const database = await engineOf("postgres").createDatabase();
      const url = new URL(database.url);
      const line = await FaultProxy.start(url);
      const through = Object.assign(new URL(url), { hostname: "127.0.0.1", port: String(line.port) }).href;
      const behind = await startBehind(kind, program, {
        engine: engineOf("postgres"),
        database: { ...database, url: through },
      });
      try {
        const { client, email } = await signUpConfirmed(behind.server);
        expect((await behind.ask(client, "/")).status).toBe(200);
        line.fault = "refuse";
        line.cut();
        await expectNothingOpen(behind, client);
        line.fault = "none";
        expect((await behind.ask(client, "/")).text).toContain(email);
        await expectSignedIn(client);
      } finally {
        await behind.stop();
        await line.stop();
        await database.drop();
      }
    });
  });
});

async function expectNothingOpen({ app, ask, server }: Behind, client: ReturnType<typeof server.client>) {
  const before = app.heard.length;
  const asked = ["GET", "POST"].flatMap((method) => [{ method }, { method, headers: NAVIGATE }]);
  // All at once: HAProxy retries for some seconds, and so survives a restart of Latchkey.
  for (const answer of await Promise.all(asked.map((one) => ask(client, "/notes", one))))
    expectUnavailable(answer);
  expect(app.heard).toHaveLength(before);
}
