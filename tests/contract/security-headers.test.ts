import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import type { Answer } from "../support/requests/answers.ts";
import { signUp } from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const NAVIGATE = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };
const PAGE = {
  "content-security-policy": expect.stringMatching(
    /^default-src 'none'; script-src 'self'; .*base-uri 'none'; frame-ancestors 'none'$/,
  ),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": expect.stringContaining("camera=()"),
};
const DATA = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** An unplanned answer is a page or data like any other. */
describe("The headers that protect an answer are on it, whatever its status:", () => {
  const server = serverOn();
  const secure = serverOn({ baseUrl: "https://app.example.test" });
  let down: TestServer;
  beforeAll(async () => {
    down = await startServer({ engine: engineOf("sqlite") });
    await down.latchkey.parts.database.close();
  });
  afterAll(async () => {
    // The test has closed the database; closing it again throws.
    await down.close().catch(() => {});
    await down.database.drop();
  });

  const token = `lk1_${"A".repeat(43)}`;
  const cookie = { Cookie: `latchkey=${token}` };
  const cases: [string, number, () => Promise<Answer>, object][] = [
    ["a page", 200, () => server().client().get("/login", NAVIGATE), PAGE],
    ["a page that doesn't exist", 404, () => server().client().get("/nothing", NAVIGATE), PAGE],
    ["data that doesn't exist", 404, () => server().client().get("/api/nothing"), DATA],
    ["a method that doesn't exist", 405, () => server().client().delete("/api/accounts"), DATA],
    ["a refused session", 401, () => server().client().get("/api/session"), DATA],
    [
      "a request from another site",
      403,
      () => server().client().post("/api/session", {}, { "Sec-Fetch-Site": "cross-site" }),
      DATA,
    ],
    ["an unreadable body", 422, () => server().client().post("/api/session", { email: 1 }), DATA],
    ["a list of sessions", 200, async () => (await signUp(server())).client.get("/api/sessions"), DATA],
    [
      "a page while the database is down",
      503,
      () => down.client().get("/settings/security", { ...NAVIGATE, ...cookie }),
      PAGE,
    ],
    ["data while the database is down", 503, () => down.client().get("/api/session", cookie), DATA],
  ];

  test.each(cases)("%s (%i)", async (_what, status, answer, headers) => {
    const got = await answer();
    expect(got.status, got.text).toBe(status);
    expect(got.headers).toMatchObject(headers);
    expect(got.headers.server).toBeUndefined();
    expect(got.headers["x-powered-by"]).toBeUndefined();
    expect(got.headers["strict-transport-security"]).toBeUndefined();
  });

  test.each(["/login", "/nothing", "/api/session", "/api/nothing"])(
    "on https, %s is to be asked for by https alone",
    async (path) => {
      const { headers } = await secure().client().get(path);
      expect(headers["strict-transport-security"]).toBe("max-age=31536000");
    },
  );
});
