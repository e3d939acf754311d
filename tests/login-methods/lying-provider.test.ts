import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type Endpoint,
  type Lie,
  LyingProvider,
} from "../support/login-methods/lying-provider.ts";
import { header, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { expectRefusal, expectSignedIn } from "../support/requests/expectations.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";
import { flood, honest, lies, stateLies } from "./lies.ts";

const ENDPOINTS: Endpoint[] = ["discovery", "jwks", "token", "userinfo"];
const floods = Object.fromEntries(ENDPOINTS.map((endpoint) => [endpoint, flood()]));
const floodLies = Object.fromEntries(
  Object.entries(floods).map(([endpoint, { answer }]): [string, Lie] => [
    `${endpoint}-flood`,
    { answer: { [endpoint]: answer }, ...(endpoint === "userinfo" ? { claims: withoutEmail } : {}) },
  ]),
);
const others: Record<string, Lie> = {
  "verified-text": { claims: (claims) => ({ ...claims, email_verified: "true" }) },
  "verified-number": { claims: (claims) => ({ ...claims, email_verified: 1 }) },
  "verified-list": { claims: (claims) => ({ ...claims, email_verified: [true] }) },
  "verified-absent": { claims: ({ email_verified: _, ...claims }) => claims },
  "second-issuer": { claims: (claims) => ({ ...claims, sub: "someone-honest" }) },
};
const all = { ...lies, ...stateLies, ...honest, ...floodLies, ...others };

function withoutEmail({ email: _, ...claims }: Record<string, unknown>) {
  return claims;
}

describe("A provider that lies", () => {
  let provider: LyingProvider;
  let server: TestServer;
  let strict: TestServer;
  beforeAll(async () => {
    provider = await LyingProvider.start(all);
    const oidc = Object.keys(all).map((id) => ({
      id,
      issuer: provider.issuer(id),
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
    }));
    server = await startServer({ engine: engineOf("sqlite"), rateLimits: "off", oidc });
    strict = await startServer({ engine: engineOf("sqlite"), signUp: "verify-first", oidc });
  });
  afterAll(async () => {
    await server.close();
    await strict.close();
    provider.stop();
  });

  /** Goes to the provider and back; returns where the person lands. */
  async function round(client: Client, name: string, at = server): Promise<string> {
    const begun = await client.get(`/api/oidc/${name}/start`);
    expect(begun.status, begun.text).toBe(302);
    const url = header(begun, "location");
    if (!url.startsWith(`${provider.issuer(name)}/authorize`)) return url.replace(at.baseUrl, "");
    const { pathname, search } = new URL(provider.back(url, name));
    const answer = await client.get(pathname + search);
    expect(answer.status, answer.text).toBe(302);
    return header(answer, "location").replace(at.baseUrl, "");
  }

  async function expectNobody(client: Client, name: string): Promise<void> {
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
    const who = `select count(*) as count from account where email_key like 'someone.${name}@%'`;
    expect(Number((await server.database.read(who))[0]?.count)).toBe(0);
  }

  test.each(Object.keys(honest))("signs in if it doesn't lie: %s", async (name) => {
    const client = server.client();
    expect(await round(client, name)).toBe("/settings/security");
    expect(need(await client.get("/api/session"), "account")).toMatchObject({
      email: `someone.${name}@example.test`,
      emailVerified: true,
    });
  });

  test.concurrent.each(Object.keys(lies))(
    "signs nobody in, and the person lands where a sentence says so: %s",
    async (name) => {
      const client = server.client();
      expect(await round(client, name)).toBe("/login?error=provider_failed");
      await expectNobody(client, name);
    },
  );

  test.each(Object.keys(stateLies))("is not asked at all without the right state: %s", async (name) => {
    const client = server.client();
    expect(await round(client, name)).toBe("/login?error=link_expired");
    await expectNobody(client, name);
  });

  test("leads nowhere: no redirect of an endpoint is followed", () => {
    expect(provider.trapped).toEqual([]);
  });

  test.each(Object.entries(floods))("is cut off where it never stops: %s", async (endpoint, { sent }) => {
    const client = server.client();
    expect(await round(client, `${endpoint}-flood`)).toBe("/login?error=provider_failed");
    expect(sent()).toBeGreaterThan(1024 * 1024);
    expect(sent()).toBeLessThan(25 * 1024 * 1024);
  });

  test.each(["verified-text", "verified-number", "verified-list", "verified-absent"])(
    "proves no address by anything but true: %s",
    async (name) => {
      const client = server.client();
      expect(await round(client, name)).toBe("/settings/security");
      expect(need(await client.get("/api/session"), "account").emailVerified).toBe(false);
      const cautious = strict.client();
      expect(await round(cautious, name, strict)).toBe("/login?error=provider_no_email");
      expectRefusal(await cautious.get("/api/session"), 401, "signed_out");
    },
  );

  describe("with two issuers", () => {
    test("the same subject at the second is another person", async () => {
      const first = server.client();
      await round(first, "honest");
      const second = server.client();
      await round(second, "second-issuer");
      await expectSignedIn(first);
      const ids = [first, second].map(async (client) => need(await client.get("/api/session"), "account").id);
      expect(new Set(await Promise.all(ids)).size).toBe(2);
    });

    test("what was begun at one is not finished at the other", async () => {
      const client = server.client();
      const begun = header(await client.get("/api/oidc/second-issuer/start"), "location");
      const { search } = new URL(provider.back(begun, "second-issuer"));
      const answer = await client.get(`/api/oidc/honest/callback${search}`);
      expect(header(answer, "location")).toBe(`${server.baseUrl}/login?error=link_expired`);
      expectRefusal(await client.get("/api/session"), 401, "signed_out");
    });
  });
});
