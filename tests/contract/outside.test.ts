import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { header } from "../support/requests/answers.ts";
import { DAY } from "../support/requests/clock.ts";
import { expectNoContent, expectRefusal, expectTooMany } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  OTHER_PASSWORD,
  PASSWORD,
  resetToken,
  signIn,
  signUp,
  signUpConfirmed,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverFor } from "../support/servers/server.ts";

const NAVIGATE = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };

describeOnEachEngine("Cookies, forward-auth, pages and guessing", (engine) => {
  const server = serverFor(engine);
  const secure = serverFor(engine, { baseUrl: "https://app.example.test/auth" });
  const shared = serverFor(engine, {
    baseUrl: "https://login.example.test",
    cookieDomain: "example.test",
    returnOrigins: ["https://app.example.test"],
  });

  describe("a sign-up's cookies", () => {
    test("are HttpOnly, Lax, on the whole path, and outlive the session by 7 days", async () => {
      const answer = await server()
        .client()
        .post("/api/accounts", { email: freshEmail(), password: PASSWORD });
      const [session = "", device = ""] = answer.setCookies;
      expect(session).toMatch(/^latchkey=lk1_[\w-]{43}; /);
      expect(device).toMatch(/^latchkey-device=[\w-]{43}; /);
      for (const cookie of [session, device]) {
        expect(cookie).toMatch(/; HttpOnly(;|$)/);
        expect(cookie).toMatch(/; SameSite=Lax(;|$)/);
        expect(cookie).toMatch(/; Path=\/(;|$)/);
        expect(cookie).not.toMatch(/Domain|Secure/);
      }
      const maxAge = Number(/Max-Age=(\d+)/.exec(session)?.[1]);
      expect(Math.abs(maxAge - (37 * DAY) / 1_000)).toBeLessThan(5);
      expect(/Max-Age=(\d+)/.exec(device)?.[1]).toBe(String((400 * DAY) / 1_000));
    });

    test("are __Host- and Secure on https, on Path=/ below a path too", async () => {
      const answer = await secure()
        .client()
        .post("/api/accounts", { email: freshEmail(), password: PASSWORD });
      expect(answer.setCookies).toHaveLength(2);
      for (const cookie of answer.setCookies)
        expect(cookie).toMatch(/^__Host-latchkey(-device)?=.*; Path=\/.*; Secure/);
    });

    test("are shared with sub-domains only if that was set on purpose", async () => {
      const answer = await shared()
        .client()
        .post("/api/accounts", { email: freshEmail(), password: PASSWORD });
      expect(answer.setCookies[0]).toMatch(/^__Secure-latchkey=.*; Domain=example.test/);
      expect(answer.setCookies[1]).not.toContain("Domain");
    });

    test("are cleared only by one's own log-out; a 401 clears nothing", async () => {
      const { client } = await signUp(server());
      const { token } = client;
      const out = await client.delete("/api/session");
      expectNoContent(out);
      expect(out.setCookies[0]).toMatch(/^latchkey=; Max-Age=0; /);
      const late = await client.get("/api/session", { Cookie: `latchkey=${token}` });
      expectRefusal(late, 401, "signed_out");
      expect(late.body.reason).toBe("signed_out");
    });
  });

  describe("forward-auth", () => {
    test("names the account and the session for an unconfirmed address, but not the address", async () => {
      const person = await signUp(server());
      const { client, account, session, email } = person;
      const named = async () => {
        const answer = await client.get("/verify", { "Remote-User": "root" });
        expectNoContent(answer);
        expect(header(answer, "remote-account")).toBe(account.id);
        expect(header(answer, "remote-session")).toBe(session.id);
        return answer.headers["remote-user"];
      };
      expect(await named()).toBeUndefined();
      await verifyEmail(server(), person);
      expect(await named()).toBe(email);
    });

    test("names the person to the proxy, in an answer that no cache stores", async () => {
      const { client, account, session, email } = await signUpConfirmed(server());
      const answer = await client.get("/verify", { "Remote-User": "root" });
      expectNoContent(answer);
      expect([
        header(answer, "remote-user"),
        header(answer, "remote-account"),
        header(answer, "remote-session"),
      ]).toEqual([email, account.id, session.id]);
      expect(header(answer, "cache-control")).toBe("no-store");
    });

    test("sends a navigation to the login page, with 303 if it wasn't a GET, and refuses the rest", async () => {
      const client = server().client();
      const page = {
        ...NAVIGATE,
        "X-Forwarded-Host": new URL(server().baseUrl).host,
        "X-Forwarded-Uri": "/notes?x=1",
        "X-Forwarded-Proto": "http",
      };
      const got = await client.get("/verify", page);
      expect(got.status).toBe(302);
      expect(header(got, "location")).toBe(
        `${server().baseUrl}/login?next=${encodeURIComponent(`${server().baseUrl}/notes?x=1`)}`,
      );
      expect((await client.get("/verify", { ...page, "X-Forwarded-Method": "POST" })).status).toBe(303);
      expectRefusal(await client.get("/verify"), 401, "signed_out");
      const nginx = await client.get("/verify?mode=nginx", {
        ...NAVIGATE,
        "X-Original-URL": `${server().baseUrl}/x`,
      });
      expect(nginx.status).toBe(401);
      expect(header(nginx, "location")).toContain(`next=${encodeURIComponent(`${server().baseUrl}/x`)}`);
    });

    test.each([
      "https://evil.example/x",
      "//evil.example",
      "https://app.example.test@evil.example/",
      "javascript:alert(1)",
    ])("never leads to %s", async (next) => {
      const answer = await shared()
        .client()
        .get("/verify", { ...NAVIGATE, "X-Original-URL": next });
      expect(header(answer, "location")).toBe("https://login.example.test/login");
      const good = await shared()
        .client()
        .get("/verify", { ...NAVIGATE, "X-Original-URL": "https://app.example.test/x" });
      expect(header(good, "location")).toContain(encodeURIComponent("https://app.example.test/x"));
    });
  });

  describe("pages", () => {
    test("that need a session redirect at the server; the login page sends on people who have one", async () => {
      const stranger = server().client();
      const asked = await stranger.get("/settings/security", NAVIGATE);
      expect(asked.status).toBe(302);
      expect(header(asked, "location")).toMatch(/\/login\?next=/);
      expect(header(await stranger.get("/", NAVIGATE), "location")).toBe(`${server().baseUrl}/login`);
      const { client } = await signUp(server());
      expect(header(await client.get("/login", NAVIGATE), "location")).toBe(
        `${server().baseUrl}/settings/security`,
      );
      expect(header(await client.get("/login?next=https://evil.example", NAVIGATE), "location")).toBe(
        `${server().baseUrl}/settings/security`,
      );
      expect((await client.get("/settings/security", NAVIGATE)).status).toBe(200);
    });

    test("carry a policy without inline scripts, and nothing that names the server", async () => {
      const { headers } = await server().client().get("/login", NAVIGATE);
      const policy = String(headers["content-security-policy"]);
      for (const rule of [
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ])
        expect(policy).toContain(rule);
      expect(policy).not.toContain("unsafe");
      expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
      expect(headers["referrer-policy"]).toBeTruthy();
      expect(headers.server).toBeUndefined();
      expect(headers["x-powered-by"]).toBeUndefined();
    });

    test("and everything else are below the path of BASE_URL, and nowhere else", async () => {
      const client = secure().client();
      expect((await client.get("/healthz")).status).toBe(200);
      expect((await client.get("/login", NAVIGATE)).text).toContain("/auth/assets/");
      for (const path of [
        "/healthz",
        "/readyz",
        "/verify",
        "/login",
        "/sign-up",
        "/settings/security",
        "/api/session",
        "/api/openapi.json",
      ]) {
        expect((await client.get(path)).status, path).not.toBe(404);
        for (const elsewhere of ["/..", "/../AUTH", "/../xxxx", "/../authx"])
          expect((await client.get(elsewhere + path)).status, elsewhere + path).toBe(404);
      }
    });
  });

  test("a second browser of the same person is told by email, the first one ever is not (B5)", async () => {
    const person = await signUp(server());
    await signIn(server(), person, UA.firefoxWindows);
    await server().outbox.withSubject(person.email, "New sign-in: Firefox on Windows");
    await person.client.delete("/api/session");
    expectStatus(201, await person.client.post("/api/session", { email: person.email, password: PASSWORD }));
    const subjects = (await server().outbox.to(person.email)).map(({ subject }) => subject);
    expect(subjects.filter((subject) => subject.startsWith("New sign-in"))).toHaveLength(1);
  });

  test("guessing is limited by account, and the right browser still comes in", async () => {
    const person = await signUp(server());
    const guesser = server().client(UA.firefoxLinux);
    const statuses: number[] = [];
    for (let guess = 0; guess < 12; guess++) {
      statuses.push(
        (await guesser.post("/api/session", { email: person.email, password: "wrong password" })).status,
      );
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    const last = await guesser.post("/api/session", { email: person.email, password: PASSWORD });
    expectTooMany(last);
    expectStatus(201, await person.client.post("/api/session", { email: person.email, password: PASSWORD }));
    const token = await resetToken(server(), person.email);
    expectNoContent(await server().client().put("/api/password-resets", { token, password: OTHER_PASSWORD }));
    // Someone's guesses don't keep out the owner, who has just chosen a new password.
    await signIn(server(), { email: person.email, password: OTHER_PASSWORD }, UA.safariIphone);
    for (let guess = 0; guess < 11; guess++)
      await guesser.post("/api/session", { email: person.email, password: "wrong password" });
    server().clock.advance(16 * 60_000);
    expectStatus(201, await guesser.post("/api/session", { email: person.email, password: OTHER_PASSWORD }));
  });
});
