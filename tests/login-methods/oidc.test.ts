import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { type Someone, TestProvider } from "../support/login-methods/provider.ts";
import { codeAt } from "../support/login-methods/totp.ts";
import { header, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import {
  expectNoContent,
  expectRefusal,
  expectSignedIn,
  expectSignedOut,
} from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  PASSWORD,
  signIn,
  signUp,
  turnOnTwoFactor,
  verifyEmail,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

describeOnEachEngine("Signing in with a provider", (engine) => {
  let provider: TestProvider;
  let server: TestServer;
  beforeAll(async () => {
    // The redirect address must be registered before the server has its port.
    const port = await freePort();
    const baseUrl = `http://localhost:${port}`;
    provider = await TestProvider.start(`${baseUrl}/api/oidc/acme/callback`);
    const { issuer, clientId, clientSecret } = provider;
    server = await startServer({
      engine,
      baseUrl,
      oidc: [{ id: "acme", name: "Acme", issuer, clientId, clientSecret }],
    });
  });
  afterAll(async () => {
    await server.close();
    await provider.stop();
  });

  const someone = (facts: Partial<Someone> = {}): Someone => ({
    sub: randomBytes(8).toString("hex"),
    email: freshEmail("acme"),
    email_verified: true,
    ...facts,
  });

  async function start(client: Client, query = ""): Promise<string> {
    const begun = await client.get(`/api/oidc/acme/start${query}`);
    expect(begun.status, begun.text).toBe(302);
    return header(begun, "location");
  }

  async function followCallback(client: Client, address: string) {
    const { pathname, search } = new URL(address);
    return client.get(pathname + search);
  }

  async function round(client: Client, who: Someone, query = "") {
    return followCallback(client, await provider.signIn(await start(client, query), who));
  }

  const landing = (answer: Awaited<ReturnType<typeof followCallback>>) =>
    header(answer, "location").replace(server.baseUrl, "");

  test("creates an account the first time, and signs in to it the next time, by subject and not by email", async () => {
    const who = someone();
    const client = server.client();
    const first = await round(client, who, `?next=${encodeURIComponent("/orders")}`);
    expect(landing(first)).toBe("/orders");
    const account = need(await client.get("/api/session"), "account");
    expect(account).toMatchObject({ email: who.email, emailVerified: true });
    const moved = { ...who, email: freshEmail("moved") };
    const again = server.client(UA.firefoxWindows);
    expect(landing(await round(again, moved))).toBe("/settings/security");
    const session = await again.get("/api/session");
    expect(need(session, "account")).toMatchObject({ id: account.id, email: who.email });
    expect(need(session, "session").signedInWith).toBe("oidc");
  });

  test("never links by email: an account with that address keeps itself, verified or not", async () => {
    for (const verified of [true, false]) {
      const person = await signUp(server);
      if (verified) await verifyEmail(server, person);
      const client = server.client(UA.firefoxWindows);
      expect(landing(await round(client, someone({ email: person.email })))).toBe(
        "/login?error=provider_account_exists",
      );
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
      expect(need(await person.client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
    }
  });

  test("the same email with another subject is another person", async () => {
    const who = someone();
    await round(server.client(), who);
    expect(landing(await round(server.client(), someone({ email: who.email })))).toBe(
      "/login?error=provider_account_exists",
    );
  });

  test("connects, signs in, and is disconnected with the sessions that it opened", async () => {
    const person = await signUp(server);
    await verifyEmail(server, person);
    const who = someone();
    const begun = expectStatus(200, await person.client.post("/api/oidc/acme/start", { intent: "connect" }));
    const { url } = JSON.parse(begun.text);
    expect(landing(await followCallback(person.client, await provider.signIn(url, who)))).toBe(
      "/settings/security?connected=acme#login-methods",
    );
    const method = need(await person.client.get("/api/account/login-methods"), "methods").find(
      ({ kind }) => kind === "oidc",
    );
    expect(method).toMatchObject({ name: "Acme" });
    const phone = server.client(UA.safariIphone);
    await round(phone, who);
    await expectSignedIn(phone);
    const byPassword = await signIn(server, person, UA.firefoxWindows);
    expectNoContent(await person.client.delete(`/api/account/login-methods/${method?.id}`));
    await expectSignedOut(phone, "method_removed");
    await expectSignedIn(byPassword.client);
    await expectSignedIn(person.client);
    await server.outbox.withSubject(person.email, "Login method removed: Acme");
  });

  test("connecting and disconnecting need a proof from the last 10 minutes; the provider itself can give one", async () => {
    const who = someone();
    const client = server.client();
    await round(client, who);
    server.clock.advance(11 * MINUTE);
    expectRefusal(await client.post("/api/oidc/acme/start", { intent: "connect" }), 403, "proof_needed");
    const { url } = JSON.parse((await client.post("/api/oidc/acme/start", { intent: "prove" })).text);
    expect(new URL(url).searchParams.get("max_age")).toBe("0");
    const before = client.token;
    expect(landing(await followCallback(client, await provider.signIn(url, who)))).toBe(
      "/settings/security?proved=1",
    );
    expect(client.token).not.toBe(before);
    expectStatus(200, await client.post("/api/oidc/acme/start", { intent: "connect" }));
    server.clock.advance(-11 * MINUTE);
  });

  test("asks for the second factor if it is on", async () => {
    const person = await signUp(server);
    const { secret } = await turnOnTwoFactor(server, person);
    const who = someone();
    const { url } = JSON.parse(
      (await person.client.post("/api/oidc/acme/start", { intent: "connect" })).text,
    );
    await followCallback(person.client, await provider.signIn(url, who));
    const client = server.client(UA.firefoxWindows);
    expect(landing(await round(client, who))).toBe("/login?step=two-factor");
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
    expectStatus(
      201,
      await client.post("/api/session/two-factor", { code: codeAt(secret, server.clock.now()) }),
    );
    await expectSignedIn(client);
  });

  describe("a callback that isn't valid", () => {
    test("leads to a page that says what to do: replayed, of another browser, stale, invented, cancelled", async () => {
      const client = server.client();
      const back = await provider.signIn(await start(client), someone());
      expect(landing(await followCallback(server.client(), back))).toBe("/login?error=link_expired");
      expect(landing(await followCallback(client, back))).toBe("/settings/security");
      expect(landing(await followCallback(client, back))).toBe("/login?error=link_expired");
      for (const query of [
        "",
        "?state=x&code=y",
        "?code=y",
        `?state=${"x".repeat(3_000)}`,
        "?error=access_denied&state=z",
      ]) {
        expect(landing(await server.client().get(`/api/oidc/acme/callback${query}`))).toBe(
          "/login?error=link_expired",
        );
      }
      const stale = server.client();
      const late = await provider.signIn(await start(stale), someone());
      server.clock.advance(11 * MINUTE);
      expect(landing(await followCallback(stale, late))).toBe("/login?error=link_expired");
      server.clock.advance(-11 * MINUTE);
      const cancelled = server.client();
      const state = new URL(await start(cancelled)).searchParams.get("state");
      expect(landing(await cancelled.get(`/api/oidc/acme/callback?error=access_denied&state=${state}`))).toBe(
        "/login?error=provider_cancelled",
      );
      const wrong = server.client();
      const other = new URL(await start(wrong)).searchParams.get("state");
      expect(landing(await wrong.get(`/api/oidc/acme/callback?code=invented&state=${other}`))).toBe(
        "/login?error=provider_failed",
      );
      expectRefusal(await wrong.get("/api/session"), 401, "signed_out");
    });

    test("can't be begun by another site, nor with a provider that isn't there", async () => {
      expectRefusal(
        await server.client().get("/api/oidc/acme/start", { "Sec-Fetch-Site": "cross-site" }),
        403,
        "cross_site",
      );
      expectRefusal(await server.client().get("/api/oidc/nobody/start"), 404, "not_found");
    });
  });

  test("the last login method that works can't be disconnected, whatever the page shows (S15)", async () => {
    const client = server.client();
    await round(client, someone());
    const [only] = need(await client.get("/api/account/login-methods"), "methods");
    server.clock.advance(11 * MINUTE);
    expectRefusal(await client.delete(`/api/account/login-methods/${only?.id}`), 409, "last_login_method");
    server.clock.advance(-11 * MINUTE);
    const person = await signUp(server);
    expectRefusal(
      await person.client.delete("/api/account/login-methods/password"),
      409,
      "last_login_method",
    );
    expect(PASSWORD.length).toBeGreaterThan(0);
  });
});
