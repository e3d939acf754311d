import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { TestProvider } from "../support/login-methods/provider.ts";
import { header } from "../support/requests/answers.ts";
import type { Client } from "../support/requests/client.ts";
import { DAY, MINUTE } from "../support/requests/clock.ts";
import { expectSignedIn, expectSignedOut } from "../support/requests/expectations.ts";
import {
  type Device,
  expectStatus,
  freshEmail,
  listOf,
  type Person,
  signIn,
  signUp,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { freePort } from "../support/servers/free-port.ts";
import { serverFor, startServer } from "../support/servers/server.ts";

const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none" };
const BACKGROUND = { "Latchkey-Background": "1" };

const PAGES = [
  "/settings/security",
  "/",
  "/login",
  "/sign-up",
  "/forgot-password",
  "/reset-password",
  "/confirm-email",
  "/keep-email",
  "/not-me",
];

const open = (client: Client, page: string) => client.get(page, NAVIGATION);

describeOnEachEngine("What counts as use", (engine) => {
  const server = serverFor(engine);

  async function atTwoDevices(): Promise<{ person: Person; other: Device }> {
    const person = await signUp(server());
    return { person, other: await signIn(server(), person, UA.firefoxWindows) };
  }

  /** How long ago the other device was last used, according to the person's list. */
  async function unusedFor({ person, other }: { person: Person; other: Device }): Promise<number> {
    const seen = (await listOf(person.client)).find(({ id }) => id === other.session.id);
    return server().clock.now() - Date.parse(seen?.lastUsedAt ?? "");
  }

  test.each(PAGES)("opening %s counts as use, each day that it is opened (S3)", async (page) => {
    const devices = await atTwoDevices();
    for (let day = 1; day <= 3; day += 1) {
      server().clock.advance(DAY);
      expect([200, 302]).toContain((await open(devices.other.client, page)).status);
      expect(await unusedFor(devices)).toBeLessThan(MINUTE);
    }
  });

  test("requesting a passkey's options counts as use, for a new account too", async () => {
    const devices = await atTwoDevices();
    server().clock.advance(DAY);
    const email = freshEmail();
    expectStatus(200, await devices.other.client.post("/api/passkeys/options", { email }));
    expect(await unusedFor(devices)).toBeLessThan(MINUTE);
  });

  test("what a page reads by itself, its live stream and its files don't count as use", async () => {
    const devices = await atTwoDevices();
    const { client } = devices.other;
    server().clock.advance(DAY);
    for (const path of ["/api/session", "/api/sessions", "/api/account/login-methods", "/api/activity"])
      expectStatus(200, await client.get(path, BACKGROUND));
    (await client.live()).close();
    for (const file of ["/favicon.svg", "/plain.css"]) expectStatus(200, await client.get(file));
    expect(await unusedFor(devices)).toBeGreaterThan(DAY - MINUTE);
  });

  test("going to a provider and coming back count as use", async () => {
    const port = await freePort();
    const baseUrl = `http://localhost:${port}`;
    const provider = await TestProvider.start(`${baseUrl}/api/oidc/acme/callback`);
    const { issuer, clientId, clientSecret } = provider;
    const oidc = [{ id: "acme", name: "Acme", issuer, clientId, clientSecret }];
    const withProvider = await startServer({ engine, baseUrl, oidc });
    try {
      const { client } = await signUp(withProvider);
      const expectUsed = async () => {
        const [current] = JSON.parse((await client.get("/api/sessions", BACKGROUND)).text).sessions;
        expect(withProvider.clock.now() - Date.parse(current.lastUsedAt)).toBeLessThan(MINUTE);
      };
      withProvider.clock.advance(4 * MINUTE);
      expectStatus(302, await open(client, "/api/oidc/acme/start"));
      await expectUsed();
      const begun = await client.post("/api/oidc/acme/start", { intent: "connect" });
      const who = { sub: randomBytes(8).toString("hex"), email: freshEmail("acme"), email_verified: true };
      const back = new URL(await provider.signIn(JSON.parse(begun.text).url, who));
      withProvider.clock.advance(4 * MINUTE);
      const landed = await client.get(back.pathname + back.search, NAVIGATION);
      expect(header(landed, "location")).toContain("connected=acme");
      await expectUsed();
    } finally {
      await withProvider.close();
      await provider.stop();
    }
  });
});

describeOnEachEngine("With an idle limit", (engine) => {
  const server = serverFor(engine, { idleTimeout: "1h" });

  test("a person who opens the security page again and again stays logged in", async () => {
    const { client } = await signUp(server());
    for (let times = 0; times < 4; times += 1) {
      server().clock.advance(50 * MINUTE);
      expectStatus(200, await open(client, "/settings/security"));
    }
    await expectSignedIn(client);
  });

  test("a page that is left open and only refreshes by itself does not", async () => {
    const { client } = await signUp(server());
    expectStatus(200, await open(client, "/settings/security"));
    for (let times = 0; times < 3; times += 1) {
      server().clock.advance(19 * MINUTE);
      expectStatus(200, await client.get("/api/sessions", BACKGROUND));
    }
    server().clock.advance(4 * MINUTE);
    await expectSignedOut(client, "idle");
  });
});
