import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyOf, signUpBound } from "../support/browsers/bound-browser.ts";
import { describeOnEachEngine, type TestDatabase } from "../support/databases/engines.ts";
import { CLIENT_ID, CLIENT_SECRET, LyingProvider } from "../support/login-methods/lying-provider.ts";
import { header } from "../support/requests/answers.ts";
import { Client } from "../support/requests/client.ts";
import {
  expectStatus,
  halfSignIn,
  OTHER_PASSWORD,
  type Person,
  signIn,
  signUp,
  trySignIn,
  turnOnTwoFactor,
  WRONG_PASSWORD,
} from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { startInOwnProcess } from "../support/servers/own-process.ts";

const BASE_URL = "https://login.example.test";
const VISITOR = "203.0.113.7";
const OPERATIONS = join(import.meta.dirname, "..", "..", "docs", "operations.md");

type Line = Record<string, unknown>;

/** A browser whose requests come through the proxy from this address. */
class Visitor extends Client {
  address: string | undefined = VISITOR;

  override send(method: string, path: string, more: Parameters<Client["send"]>[2] = {}) {
    const headers = { "X-Forwarded-For": this.address, ...more.headers };
    return super.send(method, path, { ...more, headers });
  }
}

describeOnEachEngine("The log has a line for each refusal that concerns security", (engine) => {
  let database: TestDatabase;
  let provider: LyingProvider;
  let node: Awaited<ReturnType<typeof startInOwnProcess>>;
  beforeAll(async () => {
    database = await engine.createDatabase();
    provider = await LyingProvider.start({ honest: {} });
    node = await startInOwnProcess({
      baseUrl: BASE_URL,
      databaseUrl: database.url,
      outbox: join(database.folder, "outbox"),
      trustedProxies: ["127.0.0.1"],
      oidc: [
        { id: "site", issuer: provider.issuer("honest"), clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
      ],
    });
  });
  afterAll(async () => {
    await node.stop();
    provider.stop();
    await database.drop();
  });

  const server = {
    client: (userAgent?: string) => new Visitor({ baseUrl: BASE_URL, port: node.port, userAgent }),
    clock: { now: Date.now },
  };

  const refusals = () =>
    node
      .log()
      .map((line): Line => JSON.parse(line))
      .filter((line) => "refused" in line);

  /** The lines that a test caused, once there are this many. */
  async function linesOf(does: () => Promise<unknown>, count = 1): Promise<Line[]> {
    const before = refusals().length;
    await does();
    await expect.poll(() => refusals().length - before).toBeGreaterThanOrEqual(count);
    return refusals().slice(before);
  }

  const wrongPassword = (person: Person) =>
    trySignIn(server.client(), { ...person, password: WRONG_PASSWORD });

  const CASES: [
    refused: string,
    of: string,
    whose: "the account" | "nobody",
    does: (who: Person) => unknown,
  ][] = [
    ["wrong_credentials", "POST /api/session", "the account", wrongPassword],
    [
      "wrong_credentials",
      "POST /api/session",
      "nobody",
      () => trySignIn(server.client(), { email: "nobody@example.test", password: WRONG_PASSWORD }),
    ],
    [
      "wrong_code",
      "POST /api/session/two-factor",
      "the account",
      async (who) => {
        await turnOnTwoFactor(server, who);
        const half = await halfSignIn(server, who, UA.firefoxWindows);
        await half.post("/api/session/two-factor", { code: "000000" });
      },
    ],
    [
      "sign_in_expired",
      "POST /api/session/two-factor",
      "nobody",
      () => server.client().post("/api/session/two-factor", { code: "000000" }),
    ],
    [
      "wrong_passkey",
      "POST /api/session/passkey",
      "nobody",
      () => server.client().post("/api/session/passkey", { passkey: { id: "AAAA" } }),
    ],
    [
      "provider_cancelled",
      "GET /api/oidc/:provider/callback",
      "nobody",
      async () => {
        const client = server.client();
        const away = expectStatus(302, await client.get("/api/oidc/site/start"));
        const state = new URL(header(away, "location")).searchParams.get("state");
        await client.get(`/api/oidc/site/callback?error=access_denied&state=${state}`);
      },
    ],
    [
      "wrong_password",
      "PUT /api/account/password",
      "the account",
      ({ client }) =>
        client.put("/api/account/password", { currentPassword: WRONG_PASSWORD, newPassword: OTHER_PASSWORD }),
    ],
    [
      "proof_needed",
      "POST /api/passkeys/options",
      "the account",
      async (who) => {
        const { client } = await signIn(server, who, UA.firefoxWindows);
        await turnOnTwoFactor(server, who);
        await client.post("/api/passkeys/options");
      },
    ],
    [
      "device_proof_stale",
      "POST /api/session/device-binding/refresh",
      "nobody",
      async () => {
        const { browser } = await signUpBound(server);
        // A request for a challenge isn't a forgery, and isn't logged.
        expectStatus(403, await browser.refreshOnce(null));
        expectStatus(403, await browser.refreshOnce(browser.proof("A".repeat(43))));
      },
    ],
    [
      "device_proof_needed",
      "GET /verify",
      "nobody",
      async () => {
        const { client } = await signUpBound(server);
        await copyOf(server, client, ["__Host-latchkey"]).get("/verify");
      },
    ],
    [
      "cross_site",
      "DELETE /api/sessions",
      "nobody",
      ({ client }) => client.delete("/api/sessions", undefined, { "Sec-Fetch-Site": "cross-site" }),
    ],
    [
      "not_found",
      "DELETE /api/sessions/:id",
      "the account",
      async ({ client }) => {
        const { session } = await signUp(server);
        await client.delete(`/api/sessions/${session.id}`);
      },
    ],
    [
      "link_expired",
      "PUT /api/password-resets",
      "nobody",
      () => server.client().put("/api/password-resets", { token: "used", password: OTHER_PASSWORD }),
    ],
    [
      "invalid_json",
      "POST /api/session",
      "nobody",
      () => server.client().send("POST", "/api/session", { body: "{" }),
    ],
  ];

  const said = new Set<string>();

  describe("with its time, code, method, route, network and account:", () => {
    test.each(CASES)("%s at %s, of %s", async (refused, of, whose, does) => {
      const who = await signUp(server);
      const lines = await linesOf(async () => does(who));
      const [method, route] = of.split(" ");
      const account = whose === "nobody" ? {} : { account: who.account.id };
      const { time, pid, hostname, ...line } = lines[0] ?? {};
      expect(lines.slice(1)).toEqual([]);
      expect(line).toEqual({
        level: 30,
        name: "latchkey",
        refused,
        method,
        route,
        network: VISITOR,
        ...account,
        msg: "Refused.",
      });
      expect(Math.abs(Date.now() - Number(time))).toBeLessThan(60_000);
      for (const secret of [who.email, who.client.token, who.session.id]) said.add(secret);
    });

    test("too_many_attempts, after ten wrong passwords", async () => {
      const who = await signUp(server);
      const lines = await linesOf(async () => {
        for (let time = 0; time <= 10; time++) await wrongPassword(who);
      }, 11);
      const codes = Array(10).fill("wrong_credentials");
      expect(lines.map(({ refused }) => refused)).toEqual([...codes, "too_many_attempts"]);
      expect(lines.map(({ account }) => account)).toEqual(Array(11).fill(who.account.id));
    });

    test("too_many_attempts, after twenty wrong codes", async () => {
      const who = await signUp(server);
      await turnOnTwoFactor(server, who);
      const lines = await linesOf(async () => {
        for (let signIn = 0; signIn <= 2; signIn++) {
          const half = await halfSignIn(server, who, UA.firefoxWindows);
          const tries = signIn < 2 ? 10 : 1;
          for (let time = 0; time < tries; time++)
            await half.post("/api/session/two-factor", { code: "000000" });
        }
      }, 21);
      const codes = Array(20).fill("wrong_code");
      expect(lines.map(({ refused }) => refused)).toEqual([...codes, "too_many_attempts"]);
      expect(lines.map(({ account }) => account)).toEqual(Array(21).fill(who.account.id));
    });

    test("and none for anything else: a success, a visitor who isn't signed in, an invalid address, a weak password", async () => {
      const { client } = await signUp(server);
      const lines = await linesOf(async () => {
        expectStatus(200, await client.get("/api/session"));
        expectStatus(204, await client.get("/verify"));
        for (const path of ["/api/session", "/verify"]) expectStatus(401, await server.client().get(path));
        expectStatus(404, await server.client().get("/wp-login.php"));
        const weak = { email: "x@example.test", password: "short" };
        expectStatus(422, await server.client().post("/api/accounts", weak));
        await server.client().post("/api/not-me", { token: "used" });
      });
      expect(lines.map(({ refused }) => refused)).toEqual(["link_expired"]);
    });
  });

  test("and takes nothing of what was sent into it, line breaks, quotes and paths neither", async () => {
    const { client } = await signUp(server);
    const forged = 'x"}\n{"level":30,"refused":"forged","network":"192.0.2.1"}';
    const lines = await linesOf(async () => {
      const visitor = server.client(forged.replaceAll("\n", " "));
      await trySignIn(visitor, { email: `${forged}@example.test`, password: forged });
      visitor.address = `${forged.replaceAll("\n", " ")}, ${VISITOR}`;
      await visitor.post("/api/not-me", { token: forged });
      await client.delete(`/api/sessions/${encodeURIComponent(forged)}?refused=forged`);
    }, 3);
    expect(lines.map(({ refused, network }) => [refused, network])).toEqual([
      ["wrong_credentials", VISITOR],
      ["link_expired", VISITOR],
      ["not_found", VISITOR],
    ]);
    const text = node.log().join("\n");
    expect(text).not.toMatch(/forged|192\.0\.2\.1|Mozilla|example\.test/);
    expect(said.size).toBeGreaterThan(20);
    for (const secret of said) expect(text).not.toContain(secret);
  });

  test("and names no proxy as the client's network: banning by the log would ban everybody behind it", async () => {
    const visitor = server.client();
    visitor.address = undefined;
    const [line] = await linesOf(() => visitor.post("/api/not-me", { token: "used" }));
    expect(line).toMatchObject({ refused: "link_expired", proxy: "127.0.0.1" });
    expect(line).not.toHaveProperty("network");
  });

  test("which the documented filter of fail2ban finds, with the network to ban", async () => {
    const [, filter = ""] = /^failregex = (.*)$/m.exec(readFileSync(OPERATIONS, "utf8")) ?? [];
    // fail2ban's own expression for an address or a network.
    const expression = new RegExp(filter.replace("<SUBNET>", "(?<subnet>[0-9a-f.:]+(?:/\\d+)?)"));
    const banned = (line: Line) => expression.exec(JSON.stringify(line))?.groups?.subnet;
    const visitor = server.client();
    const ask = async (address: string | undefined) => {
      visitor.address = address;
      const email = "guessed@example.test";
      const [line = {}] = await linesOf(() => trySignIn(visitor, { email, password: WRONG_PASSWORD }));
      return line;
    };
    expect(banned(await ask("198.51.100.23"))).toBe("198.51.100.23");
    expect(banned(await ask("2001:db8:1:2:3::4"))).toBe("2001:db8:1:2::/64");
    expect(banned(await ask(undefined))).toBeUndefined();
    const [expired = {}] = await linesOf(() => visitor.post("/api/not-me", { token: "used" }));
    expect(banned(expired)).toBeUndefined();
  });
});
