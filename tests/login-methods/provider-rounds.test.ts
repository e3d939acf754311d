import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type Lie,
  LyingProvider,
} from "../support/login-methods/lying-provider.ts";
import { header, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import {
  expectStatus,
  freshEmail,
  listOf,
  PASSWORD,
  signUp,
  turnOnTwoFactor,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { latchkey } from "../support/servers/command-line.ts";
import { countUpTo } from "../support/servers/count-up-to.ts";
import { rightBefore } from "../support/servers/meanwhile.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { Sites } from "./ways.ts";

describeOnEachEngine("An authorization request", (engine) => {
  let server: TestServer;
  let sites: Sites;
  let silent: LyingProvider;
  let signedInAt: number | undefined;
  beforeAll(async () => {
    sites = await Sites.start();
    // Like Google: it lists the claims that it gives, and when someone signed in isn't among them.
    const lie: Lie = {
      metadata: (metadata) => ({ ...metadata, claims_supported: ["sub", "iss", "aud", "email"] }),
      claims: ({ auth_time, ...claims }) => (signedInAt ? { ...claims, auth_time: signedInAt } : claims),
    };
    silent = await LyingProvider.start({ silent: lie });
    const issuer = silent.issuer("silent");
    const oidc = [
      ...sites.options,
      { id: "silent", issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
    ];
    server = await startServer({ engine, rateLimits: "off", oidc });
  });
  afterAll(async () => {
    await server.close();
    sites.stop();
    silent.stop();
  });

  test("to a site that never says when someone signed in asks who it is, and proves that; an old sign-in doesn't", async () => {
    const { client } = await signUp(server);
    const go = async (intent: "connect" | "prove") => {
      const { text } = expectStatus(200, await client.post("/api/oidc/silent/start", { intent }));
      const { url } = JSON.parse(text);
      const { pathname, search } = new URL(silent.back(url, "silent"));
      return {
        asked: new URL(url).searchParams,
        landed: header(await client.get(pathname + search), "location"),
      };
    };
    await go("connect");
    server.clock.advance(11 * MINUTE);
    signedInAt = Math.floor(Date.now() / 1_000) - 3_600;
    expect((await go("prove")).landed).toContain("?error=provider_failed");
    signedInAt = undefined;
    const { asked, landed } = await go("prove");
    expect([asked.get("prompt"), asked.get("max_age")]).toEqual(["select_account", "0"]);
    expect(landed).toContain("?proved=1");
    expectStatus(200, await client.post("/api/passkeys/options"));
    server.clock.advance(-11 * MINUTE);
  });

  test.each([
    ["behind", -9],
    ["ahead", 9],
  ])("to a site whose clock is minutes %s signs in, and proves who it is", async (_, minutes) => {
    const sub = `clock-${minutes}-${engine.name}`;
    const at = Math.floor(Date.now() / 1_000) + minutes * 60;
    const facts = { iat: at, nbf: at, auth_time: at, exp: at + 60 };
    const client = server.client(UA.firefoxWindows);
    expect(await sites.signIn(client, "plain", sub, facts)).toBe(`${server.baseUrl}/settings/security`);
    server.clock.advance(11 * MINUTE);
    const { text } = expectStatus(200, await client.post("/api/oidc/plain/start", { intent: "prove" }));
    expect(await sites.finish(client, JSON.parse(text).url, "plain", sub, facts)).toContain("?proved=1");
    server.clock.advance(-11 * MINUTE);
  });

  test("from an iPad, whose browser calls itself a Mac's, leaves the Mac signed in", async () => {
    const sub = `ipad-${engine.name}-${Date.now()}`;
    const mac = server.client(UA.safariMac);
    await sites.signIn(mac, "plain", sub);
    const iPad = server.client(UA.safariMac);
    const begun = expectStatus(302, await iPad.get("/api/oidc/plain/start?touchPoints=5"));
    await sites.finish(iPad, header(begun, "location"), "plain", sub);
    await expectSignedIn(mac);
    expect((await listOf(iPad)).map(({ label }) => label)).toEqual(["Safari on iOS", "Safari on Mac OS"]);
  });

  test("that is no longer known tells people who are signed in, too, on the page where they are", async () => {
    const { client } = await signUp(server);
    const back = expectStatus(302, await client.get("/api/oidc/plain/callback?code=1&state=unknown"));
    const login = header(back, "location");
    expect(login).toContain("/login?error=link_expired");
    const next = expectStatus(302, await client.get(login.slice(server.baseUrl.length)));
    expect(header(next, "location")).toBe(`${server.baseUrl}/settings/security?error=link_expired`);
  });

  test("that took too long signs nobody in and connects nothing, but remembers where it was to lead", async () => {
    const { client, account } = await signUp(server);
    const next = encodeURIComponent("/orders");
    const fresh = server.client(UA.firefoxLinux);
    const away = header(await fresh.get(`/api/oidc/plain/start?next=${next}`), "location");
    const { text } = expectStatus(200, await client.post("/api/oidc/plain/start", { intent: "connect" }));
    server.clock.advance(11 * MINUTE);
    const landed = await sites.finish(fresh, away, "plain", `late-${account.id}`);
    const login = new URL(landed).searchParams;
    expect([login.get("error"), login.get("next")]).toEqual(["link_expired", `${server.baseUrl}/orders`]);
    expectRefusal(await fresh.get("/api/session"), 401, "signed_out");
    const connecting = await sites.finish(client, JSON.parse(text).url, "plain", account.id);
    expect(connecting).toBe(`${server.baseUrl}/settings/security?error=link_expired#login-methods`);
    expect(need(await client.get("/api/account/login-methods"), "methods")).toHaveLength(1);
    server.clock.advance(-11 * MINUTE);
  });

  test.each(["the same address", "an address that was changed meanwhile"])(
    "for the first time, begun twice at once with %s, creates one account and signs both in to it",
    async (kind) => {
      const sub = `twice-${kind}-${engine.name}`;
      const email = freshEmail();
      const later = kind === "the same address" ? email : freshEmail();
      const clients = [server.client(UA.firefoxLinux), server.client(UA.firefoxWindows)] as const;
      const begin = async (client: Client) => header(await client.get("/api/oidc/plain/start"), "location");
      const [first, second] = [await begin(clients[0]), await begin(clients[1])];
      let landed = "";
      // The second one has looked up who this is, and found nobody.
      rightBefore(server.latchkey.parts.attempts, "take", async () => {
        landed = await sites.finish(clients[0], first, "plain", sub, { email, email_verified: true });
      });
      const facts = { email: later, email_verified: true };
      const overtaken = await sites.finish(clients[1], second, "plain", sub, facts);
      expect([landed, overtaken]).toEqual(Array(2).fill(`${server.baseUrl}/settings/security`));
      const ids = await Promise.all(
        clients.map(async (one) => need(await one.get("/api/session"), "account").id),
      );
      expect(ids[1]).toBe(ids[0]);
    },
  );

  test("for another account, over a live session, goes on to its second factor", async () => {
    const other = await signUp(server);
    await sites.connect(other.client, "plain", other.account.id);
    await turnOnTwoFactor(server, other);
    const { client } = await signUp(server, { userAgent: UA.firefoxLinux });
    const landed = await sites.signIn(client, "plain", other.account.id);
    expect(landed).toContain("/login?step=two-factor");
    const page = await client.get(landed.slice(server.baseUrl.length), { Accept: "text/html" });
    expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
  });
});

describeOnEachEngine("If addresses are verified first, or sign-up is closed", (engine) => {
  test.each([
    ["verify-first", "/settings/security"],
    ["closed", "/login?error=sign_up_closed"],
  ] as const)(
    "a provider that verifies nothing can't be used to ask which addresses are known (%s); one that does leads newcomers to %s, and tells owners to log in",
    async (signUpMode, leads) => {
      const sites = await Sites.start();
      const server = await startServer({ engine, signUp: signUpMode, oidc: sites.options });
      const email = freshEmail();
      const env = {
        DATABASE_URL: server.database.url,
        BASE_URL: server.baseUrl,
        LATCHKEY_SECRET_KEY: server.secretKey,
      };
      const words = ["accounts", "create", email, "--password-stdin"];
      const made = await latchkey(words, { cwd: server.database.folder, input: `${PASSWORD}\n`, env });
      expect(made.code, made.err).toBe(0);
      const ask = (address: string) =>
        sites.signIn(server.client(), "plain", `asks-${address}`, { email: address, email_verified: false });
      expect((await ask(email)).split("?")[1]).toBe((await ask(freshEmail())).split("?")[1]);
      const verified = { email: freshEmail(), email_verified: true };
      const landed = await sites.signIn(server.client(), "plain", "verified", verified);
      expect(landed).toBe(`${server.baseUrl}${leads}`);
      const known = { email, email_verified: true };
      const owner = await sites.signIn(server.client(), "plain", "owner", known);
      expect(owner).toBe(`${server.baseUrl}/login?error=provider_account_exists`);
      await server.close();
      sites.stop();
    },
  );
});

describeOnEachEngine("Passkey prompts and authorization requests", (engine) => {
  test("are limited per network, so that nobody can fill the database with them", async () => {
    const sites = await Sites.start();
    const server = await startServer({ engine, oidc: sites.options });
    const client = server.client();
    expectStatus(200, await client.post("/api/session/passkey/options"));
    await countUpTo(1_000, server, "ceremony_network");
    for (const answer of [
      await client.post("/api/session/passkey/options"),
      await client.post("/api/passkeys/options", { email: freshEmail() }),
    ])
      expectRefusal(answer, 429, "too_many_attempts");
    const start = await client.get("/api/oidc/plain/start");
    expect(header(start, "location")).toContain("/login?error=too_many_attempts");
    await server.close();
    sites.stop();
  });
});
