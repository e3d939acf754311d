import { randomInt } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readOidcProviders } from "../../src/options/oidc.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { TestGitHub } from "../support/login-methods/github.ts";
import { header, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail, signUp } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const primary = (email: unknown, verified: unknown = true) => ({ email, primary: true, verified });

describeOnEachEngine("Signing in with GitHub", (engine) => {
  let github: TestGitHub;
  let server: TestServer;
  let cautious: TestServer;
  beforeAll(async () => {
    github = await TestGitHub.start();
    const { clientId, clientSecret } = github;
    const oidc = [{ id: "github", issuer: `${github.url}/`, clientId, clientSecret }];
    server = await startServer({ engine, rateLimits: "off", oidc });
    cautious = await startServer({ engine, rateLimits: "off", signUp: "verify-first", oidc });
  });
  afterAll(async () => {
    await server.close();
    await cautious.close();
    github.stop();
  });
  afterEach(() => {
    github.back = {};
  });

  async function goAndComeBack(client: Client, url: string, at = server): Promise<string> {
    const sent = await fetch(url, { redirect: "manual" });
    expect(sent.status, await sent.text()).toBe(302);
    const { pathname, search } = new URL(sent.headers.get("location") ?? "");
    const answer = expectStatus(302, await client.get(pathname + search));
    return header(answer, "location").replace(at.baseUrl, "");
  }

  async function round(client: Client, user: unknown, emails: unknown, at = server): Promise<string> {
    github.who = { user, emails };
    const begun = expectStatus(302, await client.get("/api/oidc/github/start"));
    return goAndComeBack(client, header(begun, "location"), at);
  }

  const someone = () => ({ id: randomInt(2 ** 40), login: "octocat" });

  test("creates an account the first time, and recognises it by the user's number the next time", async () => {
    const user = someone();
    const email = freshEmail("octocat");
    const client = server.client();
    const other = { email: freshEmail("other"), primary: false, verified: true };
    expect(await round(client, user, [other, primary(email)])).toBe("/settings/security");
    const { id, ...account } = need(await client.get("/api/session"), "account");
    expect(account).toMatchObject({ email, emailVerified: true });
    const again = server.client(UA.firefoxWindows);
    await round(again, { ...user, login: "renamed" }, [primary(freshEmail("moved"))]);
    expect(need(await again.get("/api/session"), "account")).toMatchObject({ id, email });
    const [method] = need(await again.get("/api/account/login-methods"), "methods");
    expect(method).toMatchObject({ kind: "oidc", name: "GitHub" });
  });

  test("accepts the issuer that GitHub names in its callback, and no other", async () => {
    github.back = { iss: `${github.url}/login/oauth` };
    expect(await round(server.client(), someone(), [primary(freshEmail())])).toBe("/settings/security");
    for (const iss of ["https://login.example.com", github.url]) {
      github.back = { iss };
      const client = server.client();
      expect(await round(client, someone(), [primary(freshEmail())])).toBe("/login?error=provider_failed");
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
    }
  });

  test("proves no address that GitHub hasn't verified", async () => {
    for (const verified of [false, "true", 1, null]) {
      const emails = [primary(freshEmail(), verified)];
      const client = server.client();
      expect(await round(client, someone(), emails)).toBe("/settings/security");
      expect(need(await client.get("/api/session"), "account").emailVerified).toBe(false);
      const strict = cautious.client();
      expect(await round(strict, someone(), emails, cautious)).toBe("/login?error=provider_no_email");
    }
    const strict = cautious.client();
    expect(await round(strict, someone(), [primary(freshEmail())], cautious)).toBe("/settings/security");
    expect(need(await strict.get("/api/session"), "account").emailVerified).toBe(true);
  });

  test("never links by email", async () => {
    const person = await signUp(server);
    const client = server.client(UA.firefoxWindows);
    expect(await round(client, someone(), [primary(person.email)])).toBe(
      "/login?error=provider_account_exists",
    );
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });

  test("signs in known people without any address, and tells the others what to do", async () => {
    const user = someone();
    await round(server.client(), user, [primary(freshEmail())]);
    for (const emails of [403, 404, [], {}, null, [7], [{ email: freshEmail(), primary: false }]]) {
      expect(await round(server.client(), user, emails)).toBe("/settings/security");
      expect(await round(server.client(), someone(), emails)).toBe("/login?error=provider_no_email");
    }
  });

  test.each([null, [], {}, { id: "7" }, { id: 1.5 }, { id: null }, { id: 2 ** 60 }, "<html>"])(
    "signs nobody in without a user's number: %j",
    async (user) => {
      const client = server.client();
      expect(await round(client, user, [primary(freshEmail())])).toBe("/login?error=provider_failed");
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
    },
  );

  test.each([500, [null], "<html>"])("signs nobody in if the addresses are %j", async (emails) => {
    expect(await round(server.client(), someone(), emails)).toBe("/login?error=provider_failed");
  });

  test("signs nobody in with a code that GitHub doesn't know, which it says with a 200", async () => {
    github.who = { user: someone(), emails: [primary(freshEmail())] };
    const client = server.client();
    const begun = header(await client.get("/api/oidc/github/start"), "location");
    const state = new URL(begun).searchParams.get("state");
    const answer = await client.get(`/api/oidc/github/callback?code=invented&state=${state}`);
    expect(header(answer, "location")).toBe(`${server.baseUrl}/login?error=provider_failed`);
  });

  test("can be connected like any other login method", async () => {
    const person = await signUp(server);
    const user = someone();
    github.who = { user, emails: 404 };
    const begun = await person.client.post("/api/oidc/github/start", { intent: "connect" });
    expect(await goAndComeBack(person.client, JSON.parse(begun.text).url)).toBe(
      "/settings/security?connected=github#login-methods",
    );
    const client = server.client(UA.firefoxWindows);
    await round(client, user, 404);
    expect(need(await client.get("/api/session"), "account").id).toBe(person.account.id);
  });
});

describe("The address of a GitHub Enterprise", () => {
  const secrets = { clientId: "a", clientSecret: "b" };
  const issuerOf = (id: string, issuer?: string) =>
    readOidcProviders([{ id, ...secrets, ...(issuer ? { issuer } : {}) }])[0]?.issuer;

  test("is github.com by default, and is accepted with or without a slash at its end", () => {
    expect(issuerOf("github")).toBe("https://github.com");
    expect(issuerOf("github", "https://github.example.com/")).toBe("https://github.example.com");
    expect(issuerOf("acme", "https://login.example.com/")).toBe("https://login.example.com/");
    expect(() => issuerOf("github", "http://github.example.com")).toThrow("LATCHKEY_OIDC_GITHUB_ISSUER");
  });
});
