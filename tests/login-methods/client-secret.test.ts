import { describe, expect, test } from "vitest";
import { engineOf } from "../support/databases/engines.ts";
import { TestProvider } from "../support/login-methods/provider.ts";
import { header } from "../support/requests/answers.ts";
import { expectSignedIn } from "../support/requests/expectations.ts";
import { expectStatus, freshEmail } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { freePort } from "../support/servers/free-port.ts";
import { startServer } from "../support/servers/server.ts";

describe("A provider that accepts the client secret in one place only", () => {
  type Only = NonNullable<Parameters<typeof TestProvider.start>[2]>;

  async function withProvider(only: Only, clientSecret?: string) {
    const baseUrl = `http://localhost:${await freePort()}`;
    const provider = await TestProvider.start(`${baseUrl}/api/oidc/acme/callback`, undefined, only);
    const { issuer, clientId } = provider;
    const acme = { id: "acme", issuer, clientId, clientSecret: clientSecret ?? provider.clientSecret };
    const server = await startServer({ engine: engineOf("sqlite"), baseUrl, oidc: [acme] });
    return {
      server,
      async round(userAgent: string) {
        const client = server.client(userAgent);
        const begun = expectStatus(302, await client.get("/api/oidc/acme/start"));
        const who = { sub: "someone", email: freshEmail(), email_verified: true };
        const { pathname, search } = new URL(await provider.signIn(header(begun, "location"), who));
        const landed = header(await client.get(pathname + search), "location").replace(baseUrl, "");
        return { client, landed };
      },
      async stop() {
        await server.close();
        await provider.stop();
      },
    };
  }

  test.each<[Only["secretIn"], number, string]>([
    ["body", 401, "invalid_client"],
    ["header", 401, "invalid_client"],
    ["header", 400, "invalid_client"],
    // Auth0's answer.
    ["header", 401, "access_denied"],
  ])("signs people in: the %s, or it answers %i %s", async (secretIn, status, error) => {
    const { round, stop } = await withProvider({ secretIn, status, error });
    const rounds = await Promise.all([UA.chromeMac, UA.firefoxWindows].map(round));
    for (const { client, landed } of [...rounds, await round(UA.safariIphone)]) {
      expect(landed).toBe("/settings/security");
      await expectSignedIn(client);
    }
    await stop();
  });

  test.each(["body", "header"] as const)("signs nobody in with a wrong one: the %s", async (secretIn) => {
    const only = { secretIn, status: 401, error: "invalid_client" };
    const { round, stop } = await withProvider(only, "a-wrong-secret-of-the-test-32-letters");
    for (const userAgent of [UA.chromeMac, UA.firefoxWindows])
      expect((await round(userAgent)).landed).toBe("/login?error=provider_failed");
    await stop();
  });
});
