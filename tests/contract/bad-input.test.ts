import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { exchangeBytes } from "../support/requests/exchange.ts";
import { expectNoContent, expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { listOf, PASSWORD, signIn, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

describeOnEachEngine("Bad input", (engine) => {
  const server = serverFor(engine, { rateLimits: "off" });

  describe("a body", () => {
    test.each([
      ["no JSON", "{", 400, "invalid_json"],
      ["bad UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400, "invalid_json"],
      ["an array", "[]", 422, "invalid_input"],
      ["null", "null", 422, "invalid_input"],
      ["a number for the email", '{"email":1,"password":"x"}', 422, "invalid_input"],
      ["an object for the password", '{"email":"a@example.test","password":{}}', 422, "invalid_input"],
      ["a missing password", '{"email":"a@example.test"}', 422, "invalid_input"],
      [
        "a string for touchPoints",
        '{"email":"a@example.test","password":"x","touchPoints":"5"}',
        422,
        "invalid_input",
      ],
      ["more than 64 kB", `{"email":"${"a".repeat(70_000)}"}`, 413, "too_large"],
    ])("of %s", async (_what, body, status, code) => {
      for (const path of ["/api/session", "/api/accounts"]) {
        expectRefusal(await server().client().send("POST", path, { body }), status, code);
      }
    });

    test.each([
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonp",
    ])("of type %s is 415", async (type) => {
      const answer = await server()
        .client()
        .send("POST", "/api/session", { body: "{}", headers: { "Content-Type": type } });
      expectRefusal(answer, 415, "unsupported_media_type");
    });

    test.each([
      ["POST", "/api/account/email/verification"],
      ["DELETE", "/api/sessions"],
      ["DELETE", "/api/session"],
    ])(
      "of another type is 415 where none is wanted, too, and nothing is done: %s %s",
      async (method, path) => {
        const { client } = await signUp(server());
        const headers = { "Content-Type": "text/plain" };
        expectRefusal(
          await client.send(method, path, { body: "{}", headers }),
          415,
          "unsupported_media_type",
        );
        await expectSignedIn(client);
      },
    );

    test.each([
      ["POST", "/api/account/email/verification", 202],
      ["DELETE", "/api/sessions", 200],
      ["DELETE", "/api/sessions/AAAAAAAAAAAAAAAAAAAAAA", 404],
      ["DELETE", "/api/account/login-methods/password", 409],
      ["DELETE", "/api/session", 204],
    ])(
      "that isn't JSON, or is too large, is refused even if none is needed, and nothing is done: %s %s",
      async (method, path, status) => {
        const { client } = await signUp(server());
        expectRefusal(await client.send(method, path, { body: "{" }), 400, "invalid_json");
        const large = JSON.stringify({ unknown: "x".repeat(64 * 1024) });
        expectRefusal(await client.send(method, path, { body: large }), 413, "too_large");
        await expectSignedIn(client);
        expect((await client.send(method, path, { body: '{"unknown":1}' })).status).toBe(status);
      },
    );

    test("with half a surrogate pair is refused: two passwords would count as one", async () => {
      const person = await signUp(server());
      for (const half of ["\ud800", "\udc00"]) {
        const body = { email: person.email, password: `${PASSWORD}${half}` };
        const answer = await server().client().post("/api/session", body);
        expectRefusal(answer, 422, "invalid_input");
        expect(answer.body.field).toBe("password");
      }
    });

    test("names the field that is wrong", async () => {
      const answer = await server().client().post("/api/session", { email: 1, password: "x" });
      expect(answer.body).toMatchObject({ field: "email", detail: expect.stringContaining("email") });
    });

    test("assigns no field that it doesn't know", async () => {
      const { client } = await signUp(server());
      const answer = await client.put("/api/account/password", {
        currentPassword: PASSWORD,
        newPassword: "another-Lantern-burrow-58",
        emailVerified: true,
        id: "x",
        __proto__: { twoFactor: true },
      });
      expectNoContent(answer);
      expect((await client.get("/api/session")).body.account).toMatchObject({
        emailVerified: false,
        twoFactor: false,
      });
    });
  });

  test("of another site is refused on every unsafe route, in words that name both", async () => {
    const { client } = await signUp(server());
    for (const headers of [
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { "Sec-Fetch-Site": undefined, Origin: "https://evil.example" },
      { "Sec-Fetch-Site": undefined, Origin: "null" },
    ]) {
      const answer = await client.delete("/api/sessions", undefined, headers);
      expectRefusal(answer, 403, "cross_site");
      expect(answer.body.detail).toContain(new URL(server().baseUrl).origin);
    }
    const none = { "Sec-Fetch-Site": undefined, Origin: undefined };
    expect((await client.delete("/api/sessions", undefined, none)).status).toBe(200);
  });

  test("ids of others and ids of nobody get the same 404", async () => {
    const [mine, theirs] = [await signUp(server()), await signUp(server())];
    const other = await signIn(server(), theirs, UA.firefoxWindows);
    const foreign = await mine.client.delete(`/api/sessions/${other.session.id}`);
    const unknown = await mine.client.delete("/api/sessions/AAAAAAAAAAAAAAAAAAAAAA");
    expectRefusal(foreign, 404, "not_found");
    expect(foreign.text).toBe(unknown.text);
    for (const id of [
      "%00",
      "..%2f..",
      "'; drop table session; --".replaceAll(" ", "%20"),
      "x".repeat(3_000),
    ]) {
      expectRefusal(await mine.client.delete(`/api/sessions/${id}`), 404, "not_found");
    }
    expectRefusal(await mine.client.get("/api/activity?before=nope"), 404, "not_found");
    expectRefusal(await mine.client.get("/api/activity?before=%00"), 404, "not_found");
    expectRefusal(await mine.client.delete(`/api/sessions/${mine.session.id}`), 409, "current_session");
    await expectSignedIn(other.client);
  });

  test("garbage cookies sign nobody in, and of a cookie sent twice both values are tried", async () => {
    const { client } = await signUp(server());
    const good = `latchkey=${client.token}`;
    const dead = `latchkey=lk1_${"A".repeat(43)}`;
    for (const cookie of [
      `${dead}; ${good}`,
      `${good}; ${dead}`,
      `latchkey=junk; ${good}`,
      `x=${"y".repeat(4_000)}; ${good}`,
    ]) {
      expect((await client.get("/api/session", { Cookie: cookie })).status, cookie.slice(0, 40)).toBe(200);
    }
    for (const cookie of [
      "latchkey=",
      "latchkey=%00",
      `latchkey=${"A".repeat(6_000)}`,
      "latchkey",
      ";;;=",
      dead,
      "latchkey=lk1_'--",
    ]) {
      const answer = await server().client().get("/api/session", { Cookie: cookie });
      expectRefusal(answer, 401, "signed_out");
      expect(answer.body.reason).toBe("none");
    }
  });

  test("hostile User-Agents make a label from the list, never their own", async () => {
    const person = await signUp(server());
    for (const userAgent of [
      "<script>alert(1)</script>",
      "x".repeat(8_000),
      "\u0001Chrome",
      "Mozilla/5.0 ((((((((",
      "' or 1=1 --",
    ]) {
      const client = server().client(userAgent.replace(/[^\x20-\x7e]/g, ""));
      expect((await client.post("/api/session", { email: person.email, password: PASSWORD })).status).toBe(
        201,
      );
    }
    const labels = (await listOf(person.client)).map(({ label }) => label);
    for (const label of labels) expect(label).toMatch(/^[A-Z][A-Za-z0-9 .!-]{1,40}$/);
  });

  test("an invalid Host, and an address that can't be parsed, are refused with a problem like everything else", async () => {
    const { client } = await signUp(server());
    for (const host of ["localhost:99999", "a b", "ada@example.test", "[::1"]) {
      const answer = await client.get("/api/session", { Host: host });
      expectRefusal(answer, 400, "unreadable_request");
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    }
    // Parsed as an IPv4 address, which it can't be; or as one with a path after it, or a user name before it.
    const tricks = ["9\\abcde", "9/abcde", "9?abcde", "9#abcde", "abcde@9", "a:cde@9"];
    for (const host of ["999.1.1.1", "1.2.3.4.5", "0x1ffffffff", ...tricks])
      for (const path of ["/api/not-me", "/api/session"])
        expectRefusal(await client.post(path, {}, { Host: host }), 400, "unreadable_request");
    expectRefusal(await client.post("/\\evil.example", {}), 400, "unreadable_request");
    await expectSignedIn(client);
  });

  test.each(["localhost", "LOCALHOST", "evil.example", ""])(
    "a second Host is refused, whatever it names: %j",
    async (second) => {
      const { client } = await signUp(server());
      for (const path of ["/healthz", "/login", "/verify", "/api/session"])
        for (const hosts of [`Host: localhost\r\nHost: ${second}`, `hOST: ${second}\r\nHost: localhost`]) {
          const head = `GET ${path} HTTP/1.1\r\n${hosts}\r\nCookie: ${client.jar.header()}\r\n`;
          const answer = await exchangeBytes(server().port, `${head}Connection: close\r\n\r\n`);
          expect(answer, path).toMatch(/^HTTP\/1\.1 400 .*"unreadable_request"/s);
        }
    },
  );

  test.each([
    ["POST", "/login", "GET, HEAD"],
    ["DELETE", "/settings/security", "GET, HEAD"],
    ["PUT", "/", "GET, HEAD"],
    ["POST", "/favicon.svg", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["POST", "/api/sessions", "GET, HEAD, DELETE"],
    ["GET", "/api/account/password", "PUT"],
    ["POST", "/api/account/login-methods/one", "PUT, DELETE"],
    ["OPTIONS", "/api/password-resets", "POST, PUT"],
  ])("%s %s is answered with the methods that exist: %s", async (method, path, allowed) => {
    const answer = await server().client().send(method, path);
    expectRefusal(answer, 405, "method_not_allowed");
    expect(answer.headers.allow).toBe(allowed);
  });

  test("methods and paths that are not there are refused, never 500", async () => {
    const client = server().client();
    const patched = await client.send("PATCH", "/api/session");
    expectRefusal(patched, 405, "method_not_allowed");
    expect(patched.headers.allow).toBe("POST, GET, HEAD, DELETE");
    expectRefusal(await client.get("/api/nothing"), 404, "not_found");
    expectRefusal(await client.get("//api/session"), 404, "not_found");
    expectRefusal(await client.get("/API/SESSION"), 404, "not_found");
    const old = await exchangeBytes(server().port, "GET /healthz HTTP/1.0\r\n\r\n");
    expect(old).toMatch(/^HTTP\/1\.1 200/);
    for (const line of ["GET /%zz HTTP/1.1", "GET /\\..\\x HTTP/1.1", "GET http://[ HTTP/1.1", "NONSENSE"]) {
      const answer = await exchangeBytes(
        server().port,
        `${line}\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(answer, line).not.toMatch(/^HTTP\/1\.1 5/);
    }
  });
});
