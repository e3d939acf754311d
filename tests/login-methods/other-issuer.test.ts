import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { importReport, jsonLines } from "../support/databases/imports.ts";
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type Facts,
  type Lie,
  LyingProvider,
} from "../support/login-methods/lying-provider.ts";
import { header, need } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { MINUTE } from "../support/requests/clock.ts";
import { expectRefusal } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail } from "../support/requests/people.ts";
import { startServer, type TestServer } from "../support/servers/server.ts";

const WELL_KNOWN = "/.well-known/openid-configuration";
const B2C = "https://people.b2clogin.com";
const TENANT = `${B2C}/3b1c0f6e-7d2a-4c58-9f0e-5a6b7c8d9e0f/v2.0/`;
const POLICY = `${B2C}/people.onmicrosoft.com/B2C_1_in`;

const calls = (issuer: string): Lie => ({
  metadata: (metadata) => ({ ...metadata, issuer }),
  claims: (claims) => ({ ...claims, iss: issuer }),
});

/** Azure AD B2C: its discovery is at a policy's address, but the issuer is the tenant's. */
const b2c = (issuer: string): Lie => {
  const { claims } = calls(issuer);
  const atB2c = ([name, value]: [string, unknown]) => [name, String(value).replace(/^http:\/\/[^/]+/, B2C)];
  const metadata = (facts: Facts): Facts => ({
    ...Object.fromEntries(Object.entries(facts).map(atB2c)),
    id_token_signing_alg_values_supported: ["RS256"],
    issuer,
  });
  return { ...(claims ? { claims } : {}), metadata };
};

describe("A provider whose tokens name an issuer other than the one in the settings", () => {
  let provider: LyingProvider;
  let server: TestServer;
  beforeAll(async () => {
    const lies: Record<string, Lie> = {
      honest: {},
      document: {},
      capitals: {},
      slash: {
        metadata: (metadata) => ({ ...metadata, issuer: `${metadata.issuer}/` }),
        claims: (claims) => ({ ...claims, iss: `${claims.iss}/` }),
      },
      // Another site of the settings, and one of its people.
      thief: {
        metadata: (metadata) => ({ ...metadata, issuer: provider.issuer("honest") }),
        claims: (claims) => ({ ...claims, iss: provider.issuer("honest"), sub: "someone-honest" }),
      },
      b2c: b2c(TENANT),
      "b2c-elsewhere": b2c(TENANT.replace("people", "others")),
    };
    provider = await LyingProvider.start(lies);
    const options = {
      honest: provider.issuer("honest"),
      "by-document": provider.issuer("document") + WELL_KNOWN,
      "in-capitals": provider.issuer("capitals").replace("localhost", "LOCALHOST"),
      slash: `${provider.issuer("slash")}/`,
      "slash-left-out": provider.issuer("slash"),
      "slash-by-document": provider.issuer("slash") + WELL_KNOWN,
      thief: provider.issuer("thief") + WELL_KNOWN,
      b2c: `${POLICY}/v2.0`,
      "b2c-by-document": `${POLICY}/v2.0${WELL_KNOWN}`,
      "b2c-elsewhere": `${POLICY}-elsewhere/v2.0`,
    };
    const { fetch } = globalThis;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      const name = url.includes("-elsewhere") ? "b2c-elsewhere" : "b2c";
      const { pathname } = new URL(url);
      const here = url.endsWith(WELL_KNOWN)
        ? provider.issuer(name) + WELL_KNOWN
        : provider.issuer("").slice(0, -1) + pathname;
      return fetch(url.startsWith(B2C) ? here : url, init);
    });
    const oidc = Object.entries(options).map(([id, issuer]) => ({
      id,
      issuer,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
    }));
    server = await startServer({ engine: engineOf("sqlite"), rateLimits: "off", oidc });
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    await server.close();
    provider.stop();
  });

  /** Signs in at the provider, and returns where the person lands. */
  async function finish(client: Client, url: string, { baseUrl } = server): Promise<string> {
    const name = new URL(url).pathname.split("/")[1] ?? "";
    const { pathname, search } = new URL(provider.back(url, name));
    return header(expectStatus(302, await client.get(pathname + search)), "location").replace(baseUrl, "");
  }

  async function signIn(client: Client, id: string, at = server): Promise<string> {
    const url = header(expectStatus(302, await client.get(`/api/oidc/${id}/start`)), "location");
    return url.startsWith(at.baseUrl) ? url.replace(at.baseUrl, "") : finish(client, url, at);
  }

  test.each([
    "honest",
    "by-document",
    "in-capitals",
    "slash",
    "slash-left-out",
    "slash-by-document",
    "b2c",
    "b2c-by-document",
  ])("lets people who can log in with it also prove with it that it is them: %s", async (id) => {
    const client = server.client();
    expect(await signIn(client, id)).toBe("/settings/security");
    server.clock.advance(10 * MINUTE);
    const change = () => client.post("/api/passkeys/options");
    const refused = await change();
    expectRefusal(refused, 403, "proof_needed");
    expect(refused.body.methods).toContainEqual(expect.stringMatching(/^oidc:/));
    const begun = await client.post(`/api/oidc/${id}/start`, { intent: "prove" });
    await finish(client, JSON.parse(expectStatus(200, begun).text).url);
    expectStatus(200, await change());
  });

  test.each(["thief", "b2c-elsewhere"])("signs nobody in where it isn't that issuer's: %s", async (id) => {
    const client = server.client();
    expect(await signIn(client, id)).toBe("/login?error=provider_failed");
    expectRefusal(await client.get("/api/session"), 401, "signed_out");
  });

  test("of Azure AD B2C, an imported identity logs in if the issuer of its tokens is named; else it is left out", async () => {
    const issuer = `${POLICY}/v2.0`;
    const oidc = [{ id: "b2c", issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }];
    const env = {
      LATCHKEY_OIDC_PROVIDERS: "b2c",
      LATCHKEY_OIDC_B2C_CLIENT_ID: CLIENT_ID,
      LATCHKEY_OIDC_B2C_CLIENT_SECRET: CLIENT_SECRET,
      LATCHKEY_OIDC_B2C_ISSUER: issuer,
    };
    const why = `"b2c" is Azure AD B2C, whose tokens name the tenant by its id. Set LATCHKEY_OIDC_B2C_ISSUER to ${B2C}/TENANT-ID/v2.0 for the import alone, or give the identity its issuer, before you import: a later run adds nothing to an account that is here.`;
    for (const [named, more] of [
      [{ provider: "b2c", issuer: TENANT }, {}],
      [{ provider: "b2c" }, { LATCHKEY_OIDC_B2C_ISSUER: TENANT }],
    ] as const) {
      const other = await startServer({ engine: engineOf("sqlite"), oidc });
      const bring = async (identity: object, settings: Record<string, string>) => {
        const line = { email: freshEmail(), identities: [{ ...identity, subject: "someone-b2c" }] };
        const file = await jsonLines(other, [line]);
        const report = await importReport(other, ["--from", "json-lines", file], { ...env, ...settings });
        return { ...report, email: line.email };
      };
      const refused = await bring({ provider: "b2c" }, {});
      expect(refused.leftOut).toEqual([{ where: "line 1", what: "login method", why }]);
      const { email, ...report } = await bring(named, more);
      expect(report).toMatchObject({ loginMethods: 1, leftOut: [] });
      const client = other.client();
      expect(await signIn(client, "b2c", other)).toBe("/settings/security");
      expect(need(await client.get("/api/session"), "account").email).toBe(email);
      await other.close();
    }
  });
});
