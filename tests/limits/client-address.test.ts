import { describe, expect, test } from "vitest";
import type { Headers } from "../support/requests/exchange.ts";
import { expectNoContent, expectRefusal, expectTooMany } from "../support/requests/expectations.ts";
import { freshEmail, PASSWORD, signUp, WRONG_PASSWORD } from "../support/requests/people.ts";
import type { TestServer } from "../support/servers/server.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const MOST = 100;

/** Other headers that some systems trust; here they are ignored. */
const OTHERS = ["X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Client-IP"];

const askForReset = (server: TestServer, headers: Headers) =>
  server.client().post("/api/password-resets", { email: freshEmail() }, headers);

describe("Where a request comes from", () => {
  const behindProxy = serverOn({ trustedProxies: "127.0.0.1" });
  const direct = serverOn();

  test("is what a declared proxy says, not what a client put before it: no prefix escapes a limit", async () => {
    for (let times = 0; times < MOST; times += 1) {
      const headers = { "X-Forwarded-For": `10.1.1.${times}, 203.0.113.7`, "X-Real-IP": `10.1.1.${times}` };
      expect((await askForReset(behindProxy(), headers)).status).toBe(202);
    }
    expectTooMany(await askForReset(behindProxy(), { "X-Forwarded-For": "198.51.100.9, 203.0.113.7" }));
    expect((await askForReset(behindProxy(), { "X-Forwarded-For": "203.0.113.8" })).status).toBe(202);
  });

  test("is the connection's other end where there is no proxy, whatever other headers say", async () => {
    for (let times = 0; times < MOST; times += 1) {
      const name = OTHERS[times % OTHERS.length] ?? "";
      expect((await askForReset(direct(), { [name]: `198.51.100.${times}` })).status).toBe(202);
    }
    expectTooMany(await askForReset(direct(), { "X-Real-IP": "203.0.113.7" }));
    // A peer that sends the header counts as itself, against a separate limit.
    expect((await askForReset(direct(), { "X-Forwarded-For": "203.0.113.7" })).status).toBe(202);
  });

  test.each([
    "",
    "a",
    "1.2.3.4, a",
    "x".repeat(10_000),
    "\u00ff\u00fe, \u00e9",
    ",,,",
    "<script>",
    "1.2.3.4\t",
  ])("that is said as %j opens nothing and breaks nothing", async (forwardedFor) => {
    for (const server of [behindProxy(), direct()]) {
      const headers = { "X-Forwarded-For": forwardedFor };
      const { email, client } = await signUp(server);
      const stranger = server.client();
      const wrong = { email, password: WRONG_PASSWORD };
      expectRefusal(await stranger.post("/api/session", wrong, headers), 401, "wrong_credentials");
      expectRefusal(await stranger.get("/api/session", headers), 401, "signed_out");
      expectRefusal(await stranger.get("/verify", headers), 401, "signed_out");
      expectNoContent(await client.get("/verify", headers));
      const right = { email, password: PASSWORD };
      expect((await stranger.post("/api/session", right, headers)).status).toBe(201);
    }
  });
});
