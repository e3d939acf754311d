import { describe, expect, test } from "vitest";
import { BoundBrowser } from "../support/browsers/bound-browser.ts";
import type { Answer } from "../support/requests/answers.ts";
import { DAY } from "../support/requests/clock.ts";
import { expectStatus, signUp, trySignIn, turnOnTwoFactor } from "../support/requests/people.ts";
import type { ServerOptions, TestServer } from "../support/servers/server.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

const HTTP = "Path=/; HttpOnly; SameSite=Lax";
const DEVICE_LIVES = (400 * DAY) / 1_000;
const SIGN_IN_LIVES = 600;
/** Longer than a ceremony, so that a browser that comes back late is still told where it was going. */
const CEREMONY_LIVES = 3_600;
/** The session's 30 days, and 7 more in which the device can still be told why it ended. */
const SESSION_LIVES = (37 * DAY) / 1_000;

/** Every cookie that exists, with all of its attributes, as browsers get them. */
describe("Each cookie, with all of its attributes:", () => {
  const settings: [
    string,
    Omit<ServerOptions, "engine">,
    Record<"host" | "session" | "own" | "shared", string>,
  ][] = [
    ["on http", {}, { host: "", session: "latchkey", own: HTTP, shared: HTTP }],
    [
      "on https",
      { baseUrl: "https://app.example.test/auth" },
      { host: "__Host-", session: "__Host-latchkey", own: `${HTTP}; Secure`, shared: `${HTTP}; Secure` },
    ],
    [
      "on https, shared with sub-domains",
      {
        baseUrl: "https://login.example.test",
        cookieDomain: "example.test",
        returnOrigins: ["https://app.example.test"],
      },
      {
        host: "__Host-",
        session: "__Secure-latchkey",
        own: `${HTTP}; Secure`,
        shared: `${HTTP}; Secure; Domain=example.test`,
      },
    ],
  ];

  describe.each(settings)("%s", (_where, options, { host, session, own, shared }) => {
    const server = serverOn(options);

    test("the session's", async () => {
      const person = await signUp(server());
      const begun = only(await trySignIn(person.client, person), session);
      expect(withoutValue(begun)).toBe(`${session}; Max-Age=${SESSION_LIVES}; ${shared}`);
      const ended = await person.client.delete("/api/session");
      expect(ended.setCookies).toContain(`${session}=; Max-Age=0; ${shared}`);
    });

    test("the device's", async () => {
      const client = server().client();
      const { email, password } = await signUp(server());
      const name = `${host}latchkey-device`;
      const given = only(await trySignIn(client, { email, password }), name);
      expect(withoutValue(given)).toBe(`${name}; Max-Age=${DEVICE_LIVES}; ${own}`);
    });

    test("the pending sign-in's", async () => {
      const person = await signUp(server());
      const { recoveryCodes } = await turnOnTwoFactor(server(), person);
      const client = server().client();
      const name = `${host}latchkey-sign-in`;
      const begun = only(expectStatus(202, await trySignIn(client, person)), name);
      expect(withoutValue(begun)).toBe(`${name}; Max-Age=${SIGN_IN_LIVES}; ${own}`);
      const [recoveryCode] = recoveryCodes;
      const done = expectStatus(201, await client.post("/api/session/two-factor", { recoveryCode }));
      expect(done.setCookies).toContain(`${name}=; Max-Age=0; ${own}`);
    });

    test("the ceremony's", async () => {
      const name = `${host}latchkey-ceremony`;
      const begun = only(await server().client().post("/api/session/passkey/options"), name);
      expect(withoutValue(begun)).toBe(`${name}; Max-Age=${CEREMONY_LIVES}; ${own}`);
    });
  });

  describe("the bound one, which exists only on https,", () => {
    const server = serverOn({ baseUrl: "https://app.example.test/auth" });
    const uneven = serverOn({ baseUrl: "https://app.example.test/auth", bindingRefresh: 300_900 });
    const name = "__Host-latchkey-bound";

    test("lives for 10 minutes minus half a minute that a request may take to arrive", async () => {
      const bound = only((await bind(server())).registered, name);
      expect(withoutValue(bound)).toBe(`${name}; Max-Age=570; ${HTTP}; Secure`);
    });

    test("has a lifetime in whole seconds, since browsers ignore any other", async () => {
      const bound = only((await bind(uneven())).registered, name);
      expect(withoutValue(bound)).toBe(`${name}; Max-Age=270; ${HTTP}; Secure`);
    });

    test("is cleared by the log-out", async () => {
      const { client } = await bind(server());
      expectStatus(200, await client.get("/api/session"));
      const ended = expectStatus(204, await client.delete("/api/session"));
      expect(ended.setCookies).toContain(`${name}=; Max-Age=0; ${HTTP}; Secure`);
    });
  });
});

async function bind(server: TestServer) {
  const { client, email, password } = await signUp(server);
  const signedIn = expectStatus(201, await trySignIn(client, { email, password }));
  return { client, registered: expectStatus(200, await new BoundBrowser(client).register(signedIn)) };
}

/** The one cookie of this name that an answer sets. */
function only({ setCookies }: Answer, name: string): string {
  const [cookie, ...more] = setCookies.filter((one) => one.startsWith(`${name}=`));
  if (cookie === undefined || more.length > 0) throw new Error(`Set: ${setCookies.join(" | ")}`);
  return cookie;
}

const withoutValue = (cookie: string) => cookie.replace(/=[\w-]+;/, ";");
